"""What commands print: JSON, tables and trees on standard output, notes on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

import msgspec

# Imported by what draws: what a driver returns is printed as it is.
if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def show(data: object, rendered: RenderableType | None, *, as_json: bool) -> None:
    """Print what a command found.

    :param data: made of nouns, lists and dictionaries.
    :param rendered: the same for people; None prints nothing.
    """
    if as_json:
        text = msgspec.json.format(msgspec.json.encode(data, enc_hook=str), indent=2)
        print(text.decode())
    elif rendered is not None:
        screen = console(sys.stdout)
        with screen.capture() as captured:
            screen.print(rendered)
        # Rich fills every cell up to its column's width; nobody wants that in a pipe or a copied text.
        print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def note(text: str) -> None:
    """Tell something on the side, where it is in no script's way."""
    print(text, file=sys.stderr, flush=True)


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str | None]], empty: str = ""
) -> RenderableType:
    """Rows under heads, as wide as they need.

    :param empty: what to say in place of a table without rows.
    """
    from rich.table import Table

    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        made.add_column(head, overflow="fold")
    for row in rows:
        made.add_row(*(cell or "" for cell in row))
    return made if made.row_count else empty


def facts(rows: Iterable[tuple[str, str]]) -> RenderableType:
    """Names and values; those without a value are left out."""
    from rich.table import Table

    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        if value:
            made.add_row(name, value)
    return made


def console(stream: TextIO) -> Console:
    """A console that prints names as they are, brackets and all, and wraps for terminals only."""
    from rich.console import Console

    wide = None if stream.isatty() or os.environ.get("COLUMNS") else 1000
    return Console(file=stream, markup=False, highlight=False, emoji=False, width=wide)


def when(time: float) -> str:
    """A Unix time in local time, to the second."""
    return datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else ""


def amount(size: float) -> str:
    """A number of bytes, short."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
