"""``shelldock backup``: all that must survive in one file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shelldock.cli.options import AsJson
from shelldock.cli.screen import note, show
from shelldock.cli.session import paths, settings, settings_file

if TYPE_CHECKING:
    from shelldock import backup as backups

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write it.", show_default=False)
    ],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Write all that must survive into one file.

    That is the store, the key of its passwords, the settings and the added shells. Hosts may go on working.
    """
    from shelldock import backup as backups  # with the store, which help does without

    with closing(backups.opened(settings(context), paths())) as store:
        made = backups.write(file, store, paths(), settings_file(context), force=force)
    show(made, None, as_json=json)
    if not json:
        note(f"{told(made)} written to {file}; whoever has it has the passwords in it")


def told(made: backups.Backup) -> str:
    """What is in it, for people."""
    counts = {
        name: made.rows.get(name, 0) for name in ("resources", "executions", "sandboxes", "users")
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items())
