"""Shells that installed distributions declare through the entry points ``shelldock.shells``."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Final

from stevedore import ExtensionManager

from shelldock.errors import ShellError
from shelldock.model import Value

GROUP: Final = "shelldock.shells"
EXTRA: Final = "driver"
"""The extra of the distribution that holds what the driver needs, in its own environment."""

log = logging.getLogger(__name__)


class Declaration(Value, frozen=True, kw_only=True):
    """One entry point: where the shell lies, or the reason why nobody knows."""

    name: str
    source: str
    """``distribution version (entry point)``, for people."""
    path: Path | None = None
    requirements: tuple[str, ...] | None = None
    """Those of the extra ``driver``; None where the distribution has no such extra."""
    reason: str = ""


def declared() -> list[Declaration]:
    """Every declaration, sorted by name; one that is broken carries its reason and hides no other.

    An entry point leads to a path (text or ``os.PathLike``) or to a callable that returns one; what is relative is
    relative to its module. Nothing of a driver is imported.
    """
    failed: list[tuple[EntryPoint, BaseException]] = []

    def remember(_: object, entry: EntryPoint, error: BaseException) -> None:
        failed.append((entry, error))

    found: ExtensionManager[object] = ExtensionManager(
        GROUP, invoke_on_load=False, on_load_failure_callback=remember
    )
    made = [_declaration(one.entry_point, one.plugin) for one in found]
    made += [
        _broken(entry, f"cannot be loaded: {type(error).__name__}: {error}")
        for entry, error in failed
    ]
    return sorted(made, key=lambda one: (one.name, one.source))


def _declaration(entry: EntryPoint, given: object) -> Declaration:
    try:
        path = _path(entry, given() if callable(given) else given)
        distribution = _distribution(entry)
        return Declaration(
            name=entry.name,
            source=_source(entry, distribution),
            path=path,
            requirements=requirements(distribution) if distribution else None,
        )
    except Exception as error:  # a stranger's callable, or a stranger's metadata
        log.debug("declaration %r is broken", entry.name, exc_info=True)
        return _broken(entry, str(error) or type(error).__name__)


def _broken(entry: EntryPoint, reason: str) -> Declaration:
    return Declaration(name=entry.name, source=_source(entry, _distribution(entry)), reason=reason)


def _path(entry: EntryPoint, given: object) -> Path:
    if not isinstance(given, str | os.PathLike):
        raise ShellError(
            entry.value,
            f"declares {type(given).__name__!r}; expected a path, or a callable that returns one",
        )
    path = Path(os.fsdecode(given))
    origin = import_module(entry.module).__file__
    return path if path.is_absolute() or origin is None else Path(origin).parent / path


def _source(entry: EntryPoint, distribution: Distribution | None) -> str:
    if distribution is None:
        return f"entry point {entry.name!r}"
    return f"{distribution.name} {distribution.version} (entry point {entry.name!r})"


def _distribution(entry: EntryPoint) -> Distribution | None:
    """Who brought the entry point: stevedore's cache forgets it."""
    for one in distributions():
        if any(
            (known.group, known.name, known.value) == (GROUP, entry.name, entry.value)
            for known in one.entry_points
        ):
            return one
    return None


# ---- the extra ----------------------------------------------------------------------------------


def requirements(distribution: Distribution) -> tuple[str, ...] | None:
    """The requirements of the extra ``driver``; None where there is no such extra.

    Other conditions stay in the lines: they are about the driver's Python, not the host's.
    """
    from packaging.utils import canonicalize_name  # only shells of distributions have extras

    extras: Callable[[str], list[str] | None] = distribution.metadata.get_all
    names: list[str] = [canonicalize_name(name) for name in extras("Provides-Extra") or []]
    if EXTRA not in names:
        return None
    return tuple(_of_extra(distribution.requires or []))


_EXTRA_IS: Final = re.compile(rf"""extra\s*==\s*(['"]){EXTRA}\1""")
_ALWAYS: Final = 'python_version >= "0"'


def _of_extra(lines: list[str]) -> Iterator[str]:
    for line in lines:
        head, _, marker = line.partition(";")
        if _EXTRA_IS.search(marker):
            rest = _EXTRA_IS.sub(_ALWAYS, marker.strip())
            yield _checked(head.strip() if rest == _ALWAYS else f"{head.strip()} ; {rest}")


def _checked(line: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement  # as above

    try:
        Requirement(line)
    except InvalidRequirement as error:
        raise ValueError(
            f"the extra {EXTRA!r} has a line that is no requirement: {line!r}"
        ) from error
    return line
