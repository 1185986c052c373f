"""What discovery asks for before it begins: the attributes that a shell's capability names (N1)."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import typer

from shelldock.model import Attribute, Shell


def unanswered(shell: Shell, given: Iterable[str]) -> list[Attribute]:
    """The attributes that discovery asks for, and that have neither been given nor have a default.

    :param given: their names, full or short.
    """
    asked = shell.discovery.asks if shell.discovery else ()
    known = [shell.attribute(name) for name in given]
    wanted = [shell.attribute(name) for name in asked]
    return [one for one in wanted if one and one not in known and not _has_default(one)]


def wants_to_be_asked(*, given: bool, as_json: bool) -> bool:
    """Whether somebody sits there who has not said anything yet."""
    return not given and not as_json and sys.stdin.isatty() and sys.stderr.isatty()


def ask(attributes: Iterable[Attribute]) -> dict[str, str]:
    """What the user enters for each; passwords are not seen, and an empty answer leaves one empty."""
    return {one.name: question(_label(one), secret=one.type == "password") for one in attributes}


def question(label: str, *, secret: bool = False) -> str:
    """One answer, which may be empty."""
    return str(typer.prompt(label, default="", show_default=False, hide_input=secret, err=True))


def short(attribute: Attribute) -> str:
    """The name as people say it."""
    return attribute.name.rpartition(".")[2]


def _label(one: Attribute) -> str:
    return f"{short(one)} ({', '.join(one.choices)})" if one.choices else short(one)


def _has_default(one: Attribute) -> bool:
    return bool(one.default) or one.type in ("integer", "float", "boolean")
