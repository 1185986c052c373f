"""Folders of the inventory: paths that resources have, and that are there for as long as one has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from shelldock.errors import InputError

LONGEST_FOLDER: Final = 1000
"""Characters of a path."""

_NAME: Final = re.compile(r"[\w .|\-\]\[]*\w[\w .|\-\]\[]*", re.UNICODE)


def place(path: str) -> str:
    """A path as it is kept: ``Lab 1/Rack 3``, without slashes around it; empty: no folder. Raises ``InputError``."""
    names = [one.strip() for one in path.strip().strip("/").split("/")]
    if names == [""]:
        return ""
    if len(path) > LONGEST_FOLDER or not all(map(_NAME.fullmatch, names)):
        raise InputError(
            f"cannot call a folder {path!r}; it has names of letters, digits, blanks and | . - _ ] [, "
            "with slashes between them: 'Lab 1/Rack 3'"
        )
    return "/".join(names)


def holds(outer: str, inner: str) -> bool:
    """Whether a folder is another one, or has it inside; the empty one has all."""
    return not outer or inner == outer or inner.startswith(f"{outer}/")


def places(paths: Iterable[str]) -> set[str]:
    """These folders, and those that they are in."""
    names = [path.split("/") for path in set(paths) if path]
    return {"/".join(one[:depth]) for one in names for depth in range(1, len(one) + 1)}


def moved(path: str, old: str, new: str) -> str:
    """The path of a folder in ``old`` when that is called ``new``."""
    return place(f"{new}/{path[len(old) :]}".replace("//", "/"))
