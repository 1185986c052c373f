"""The rows of what drivers rely on, the tests that show them, and the page that is made of both.

``python -m tests.conformance`` writes ``docs/reference/conformance.md``.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "reference" / "conformance.md"
DATA: Final = ROOT / "tests" / "conformance.toml"

GROUPS: Final = {
    "P": "Packages",
    "D": "Driver metadata",
    "C": "Commands and contexts",
    "A": "The API for drivers",
    "R": "Results",
    "I": "Instances",
    "V": "Virtual environments",
    "Q": "Queues",
    "E": "Execution servers",
    "N": "Inventory and sandboxes",
    "L": "Logs and debugging",
}
LEVELS: Final = {"M": "must", "S": "should", "Y": "may"}

_ID: Final = re.compile(rf"(?<![A-Za-z0-9])([{''.join(GROUPS)}]\d{{1,2}})(?![A-Za-z0-9])", re.I)
"""A row's id as a word of its own: ``_q4``, ``_q4_`` or ``q4-…``, and neither ``q40`` nor ``seq4``."""

HEAD: Final = """\
# What drivers rely on

These are the things that a driver made for CloudShell relies on, collected from what CloudShell documents and from what
published shells do. The tests below a row show that it holds, and `pytest -k Q4` runs those of Q4. This page is made
from the tests, by `python -m tests.conformance`.
"""


class Row(NamedTuple):
    """One thing that drivers rely on."""

    id: str
    claim: str
    level: str
    left: str
    note: str
    open: bool


class Shown(NamedTuple):
    """A test that carries the id of a row."""

    row: str
    path: str
    name: str


def rows() -> list[Row]:
    """Every row, in the order of the file."""
    said = tomllib.loads(DATA.read_text())
    waiting = said.pop("open")
    return [_row(name, one, name in waiting) for name, one in said.items()]


def _row(id: str, said: dict[str, Any], waits: bool) -> Row:
    left, note = said.get("left", ""), said.get("note", "")
    return Row(id, said["claim"], said["level"], left, note, waits)


def shown() -> list[Shown]:
    """Every test with a row's id in its name or in the ids of its parameters, sorted by where it is.

    The files are read and not run, so that the page is the same on every machine.
    """
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        where = path.relative_to(ROOT).as_posix()
        for test in _tests(ast.parse(path.read_text())):
            found |= {Shown(row, where, test.name) for row in _ids(test)}
    return sorted(found)


_Test = ast.FunctionDef | ast.AsyncFunctionDef


def _tests(tree: ast.Module) -> Iterator[_Test]:
    for node in ast.walk(tree):
        if isinstance(node, _Test) and node.name.startswith("test_"):
            yield node


def _ids(test: _Test) -> set[str]:
    texts = (test.name, *_parameter_ids(test))
    return {found.upper() for text in texts for found in ids_in(text)}


def ids_in(text: str) -> list[str]:
    """The ids of rows in the name of a test, or in the id of a parameter."""
    return _ID.findall(text)


def _parameter_ids(test: _Test) -> Iterator[str]:
    """The texts that the test's decorators give as ``id`` or ``ids``."""
    for decorator in test.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.keyword) and node.arg in ("id", "ids"):
                yield from _texts(node.value)


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# ---- the page -----------------------------------------------------------------------------------


def page() -> str:
    """The page as it should be now."""
    tests = shown()
    parts = [HEAD, _summary(tests)]
    for letter, title in GROUPS.items():
        own = [row for row in rows() if row.id.startswith(letter)]
        parts.append(f"## {title}\n")
        parts.append("\n".join(_entry(row, tests) for row in own) + "\n")
    return "\n".join(parts)


def _summary(tests: list[Shown]) -> str:
    states = [_state(row, tests) for row in rows()]
    held = states.count("holds")
    left = sum(state.startswith("left") for state in states)
    waiting = f", {states.count('open')} are open" if "open" in states else ""
    return f"{len(states)} rows: {held} hold, {left} are left for later{waiting}.\n"


def _entry(row: Row, tests: list[Shown]) -> str:
    note = f" ({row.note})" if row.note else ""
    head = f"- **{row.id}** ({LEVELS[row.level]}), {_state(row, tests)}. {row.claim}{note}"
    return "\n".join(
        [head, *(f"  - `{one.path}::{one.name}`" for one in tests if one.row == row.id)]
    )


def _state(row: Row, tests: list[Shown]) -> str:
    if row.left:
        return f"left: {row.left}"
    return "holds" if any(one.row == row.id for one in tests) else "open"


if __name__ == "__main__":
    PAGE.write_text(page())
