"""Reads a requirements file: its lines, and the options in it, which uv takes only in part from there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

_ALIASES: Final = {
    "-i": "--index-url",
    "--pypi-url": "--index-url",
    "-f": "--find-links",
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
}
_SOURCES: Final = frozenset(
    {"--index-url", "--extra-index-url", "--find-links", "--no-binary", "--only-binary"}
)
_OF_NO_CONSEQUENCE: Final = frozenset({"--editable", "--prefer-binary", "--require-hashes"})
_FLAGS: Final = frozenset({"--pre", "--no-index", "--prefer-binary", "--require-hashes"})


@dataclass
class Options:
    """What a requirements file asks of its installer."""

    sources: list[str] = field(default_factory=list)
    """As uv takes them: where to find distributions, now and again when the pins are installed."""
    resolving: list[str] = field(default_factory=list)
    """As uv takes them, for the resolution only and not from the file."""
    refused: list[str] = field(default_factory=list)
    """Those that uv does not know, as they were written."""
    has_index: bool = False
    """Whether the file names the index itself."""


def options_of(file: Path) -> Options:
    """The options in ``file`` and in those that it includes, in pip's grammar (checklist V3)."""
    options = Options()
    _read(file, options, {file.resolve()})
    return options


class Line(NamedTuple):
    """One line as the installer sees it."""

    number: int
    """Of its first line in the file, from 1."""
    text: str


def lines(file: Path) -> Iterator[Line]:
    """Those with something on them: comments left out, lines that end in a backslash joined with the next."""
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    number = 1
    for raw in re.split(r"(?<!\\)\n", text):
        joined = raw.replace("\\\n", "")
        line = re.sub(r"(^|\s)#.*$", "", joined).strip()
        if line:
            yield Line(number, line)
        number += raw.count("\n") + 1


def options(line: str) -> Iterator[tuple[str, str]]:
    """Name and value of each option on a line that begins with one."""
    words = _words(line)
    while words:
        name, equals, value = words.pop(0).partition("=")
        if not name.startswith("--") and len(name) > 2:  # -ihttps://…
            name, value, equals = name[:2], name[2:] + equals + value, "="
        name = _ALIASES.get(name, name)
        if name not in _FLAGS and not equals and words and not words[0].startswith("-"):
            value = words.pop(0)
        yield name, value


def _read(file: Path, options: Options, seen: set[Path]) -> None:
    for name, value, line in _options(file):
        if name in ("--requirement", "--constraint"):
            below = file.parent / value
            if below.is_file() and below.resolve() not in seen:
                seen.add(below.resolve())
                _read(below, options, seen)
        elif name in _SOURCES:
            options.sources += [
                name,
                _absolute(file.parent, value) if name == "--find-links" else value,
            ]
            options.has_index |= name == "--index-url"
        elif name == "--no-index":
            options.sources.append(name)
        elif name == "--pre":
            options.resolving += ["--prerelease", "allow"]
        elif name == "--trusted-host":
            options.sources += ["--allow-insecure-host", value]
        elif name not in _OF_NO_CONSEQUENCE:
            options.refused.append(line)


def _options(file: Path) -> Iterator[tuple[str, str, str]]:
    """Name, value and text of each option."""
    for line in lines(file):
        if line.text.startswith("-"):
            yield from ((name, value, line.text) for name, value in options(line.text))


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _absolute(folder: Path, place: str) -> str:
    return place if "://" in place else str((folder / place).absolute())
