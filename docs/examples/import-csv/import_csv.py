"""``shelldock import-csv FILE``: adds the resources of a table, all or none."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from shelldock import AsyncHost, ShelldockError, hookimpl
from shelldock.cli.options import AsJson
from shelldock.cli.screen import note, show
from shelldock.cli.session import state
from shelldock.errors import ConflictError, InputError
from shelldock.inventory import build
from shelldock.model import Value

FACTS: Final = ("name", "shell", "address", "description")

File = Annotated[Path, typer.Argument(metavar="FILE", help="A table whose first line has names.")]


class Row(Value, frozen=True, kw_only=True):
    """One resource to be, and where the table has it."""

    line: int
    name: str
    shell: str
    address: str
    description: str
    attributes: Mapping[str, str]


@hookimpl
def shelldock_commands(app: typer.Typer) -> None:
    """Add our command."""
    app.command("import-csv")(import_csv)


def import_csv(context: typer.Context, file: File, *, json: AsJson = False) -> None:
    """Add the resources of a table: columns name, shell, address, description; any other is an attribute."""
    rows = read(file)
    with state(context) as host:
        check(rows, host)
        added = []
        for row in rows:
            try:
                shell = host.shell(row.shell)
                added.append(
                    host.inventory.create(
                        row.name, shell, row.address, row.attributes, row.description
                    )
                )
            except ShelldockError as error:  # somebody was quicker, or the disk is full
                raise ConflictError(f"line {row.line}: {error}; {len(added)} were added") from error
    show(added, None, as_json=json)
    if not json:
        note(f"{len(added)} resources added")


def read(file: Path) -> list[Row]:
    """The rows of the table. Cells that are empty count as not given."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as table:
            reader = csv.DictReader(table, restkey="", restval="", strict=True)
            absent = {"name", "shell"}.difference(map(str.casefold, reader.fieldnames or ()))
            if absent:
                raise InputError(
                    f"{str(file)!r} has no column called {' or '.join(sorted(absent))}"
                )
            return [row(reader.line_num, cells) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read {str(file)!r}: {error}") from error


def row(line: int, cells: Mapping[str, str]) -> Row:
    """A row from its cells; the names of the four facts may be written in any case."""
    facts = {key.casefold(): cell for key, cell in cells.items() if key.casefold() in FACTS}
    others = {key: cell for key, cell in cells.items() if cell and key.casefold() not in FACTS}
    return Row(line=line, attributes=others, **(dict.fromkeys(FACTS, "") | facts))


def check(rows: Sequence[Row], host: AsyncHost) -> None:
    """Raise ``InputError`` that names every row that cannot be added, while none has been."""
    wrong, names = [], set()
    for one in rows:
        try:
            if "" in one.attributes:
                raise InputError("a cell is in no column that has a name")
            build(one.name, host.shell(one.shell), attributes=one.attributes, vault=host.vault)
            if one.name in names or one.name in host.inventory:
                raise ConflictError(f"resource {one.name!r} is there already")
            names.add(one.name)
        except ShelldockError as error:
            wrong.append(f"line {one.line}: {error}")
    if wrong:
        raise InputError(f"nothing was added: {'; '.join(wrong)}")
