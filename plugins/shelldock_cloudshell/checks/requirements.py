"""What a driver requires: what each line of ``requirements.txt`` means in a year, or on another machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from shelldock.model import Driver, Finding
from shelldock_cloudshell import requirements
from shelldock_cloudshell.checks.rules import Place, finding

FILE: Final = "requirements.txt"

_UPPER: Final = frozenset({"==", "===", "~=", "<", "<="})
_VERSION_CONTROL: Final = re.compile(r"(git|hg|svn|bzr)\+")
_REVISION: Final = re.compile(r"@[^/@#]+(#|$)")
_EGG: Final = re.compile(r"[#&]egg=([\w.-]+)")
_REPOSITORY: Final = re.compile(r"([\w.-]+?)(\.git)?(@[^/]*)?(#.*)?$")
_ARCHIVE: Final = re.compile(
    r"([A-Za-z][\w.]*?(?:-[A-Za-z][\w.]*?)*)-\d[^/]*\.(whl|zip|tar\.gz)(#.*)?$"
)


@dataclass
class Asked:
    """What the driver's requirements come to."""

    names: list[str] = field(default_factory=list)
    """Canonical names of distributions, in order."""
    findings: list[Finding] = field(default_factory=list)
    constrained: set[str] = field(default_factory=set)
    """Names that a constraints file bounds."""

    def all(self) -> Iterator[Finding]:
        """What was found, but for what constraints make good."""
        bounded = tuple(f"{name!r} " for name in self.constrained)
        return (
            one
            for one in self.findings
            if not (one.rule == "unpinned-requirement" and one.message.startswith(bounded))
        )


def read(driver: Driver) -> Asked:
    """All lines of ``requirements.txt`` and of what it includes, or those that the driver has in its place."""
    asked = Asked()
    for line in driver.requirements or ():
        _line(asked, Place(driver.source), line)
    path = driver.source / FILE
    if driver.requirements is None and path.is_file():
        _file(asked, path, {path.resolve()})
    return asked


def _file(asked: Asked, path: Path, seen: set[Path]) -> None:
    known = requirements.options_of(path).refused
    for number, text in requirements.lines(path):
        place = Place(path, number)
        if not text.startswith("-"):
            _line(asked, place, text)
            continue
        if text in known:
            message = f"{text!r} is nothing that uv knows, so it is not heeded; remove it"
            asked.findings.append(finding("unknown-option", place, message))
        for name, value in requirements.options(text):
            _option(asked, place, name, value, seen)


def _option(asked: Asked, place: Place, name: str, value: str, seen: set[Path]) -> None:
    if name == "--editable":
        _elsewhere(asked, place, value)
    if name not in ("--requirement", "--constraint"):
        return
    below = place.path.parent / value
    if "://" in value or below.resolve() in seen:
        return
    if not below.is_file():
        message = (
            f"there is no file {value!r}, so nothing can be installed; add it, or remove the line"
        )
        asked.findings.append(finding("unknown-option", place, message))
        return
    seen.add(below.resolve())
    if name == "--requirement":
        _file(asked, below, seen)
    else:
        asked.constrained.update(_bounded(below))


def _bounded(path: Path) -> Iterator[str]:
    for line in requirements.lines(path):
        try:
            one = Requirement(_bare(line.text))
        except InvalidRequirement:
            continue
        if _is_bounded(one):
            yield canonicalize_name(one.name)


def _line(asked: Asked, place: Place, text: str) -> None:
    bare = _bare(text)
    try:
        one = Requirement(bare)
    except InvalidRequirement as error:
        if (
            "://" in bare
            or bare.startswith((".", "/"))
            or bare.endswith((".whl", ".zip", ".tar.gz"))
        ):
            _elsewhere(asked, place, bare)
        else:
            reason = str(error).partition("\n")[0].rstrip(".:")
            message = f"{bare!r} cannot be installed by anybody: {reason}; mend it"
            asked.findings.append(finding("invalid-requirement", place, message))
        return
    name = canonicalize_name(one.name)
    asked.names.append(name)
    if one.url is not None:
        _elsewhere(asked, place, one.url)
    elif not _is_bounded(one):
        asked.findings.append(finding("unpinned-requirement", place, _unpinned(name, one)))


def _unpinned(name: str, one: Requirement) -> str:
    least = [part.version for part in one.specifier if part.operator in (">", ">=")]
    if least:
        says = f"has no upper bound ({one.specifier})"
        advice = f"add one, such as '<{Version(least[0]).major + 1}'"
    else:
        says, advice = "names no version", f"write a range, '{one.name}>=…,<…'"
    return f"{name!r} {says}, so any later release may break the driver at its next start; {advice}"


def _is_bounded(one: Requirement) -> bool:
    return one.url is not None or any(part.operator in _UPPER for part in one.specifier)


def _elsewhere(asked: Asked, place: Place, url: str) -> None:
    """A requirement that comes from no index."""
    name = _EGG.search(url) or _ARCHIVE.search(url) or _REPOSITORY.search(url)
    if name:
        asked.names.append(canonicalize_name(name[1]))
    if _VERSION_CONTROL.match(url):
        if not _REVISION.search(url.partition("://")[2].partition("/")[2]):
            message = (
                f"{url!r} names no revision, so it changes with every push; "
                "add one ('@' and a tag or a commit)"
            )
            asked.findings.append(finding("unpinned-requirement", place, message))
    elif "://" not in url or url.startswith("file:"):
        message = (
            f"{url!r} is a place on this machine, and others do not have it; publish it, "
            "or put the code among the driver's sources"
        )
        asked.findings.append(finding("local-requirement", place, message))


def _bare(text: str) -> str:
    """Without options of its own, such as ``--hash``."""
    return re.split(r"\s--?\w", text)[0].strip()
