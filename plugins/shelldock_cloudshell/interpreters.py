"""Finds the Python interpreters of this machine and chooses the one that a driver gets."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from shelldock.errors import PythonError
from shelldock.model import Interpreter, Shell
from shelldock_cloudshell.environment import PREFERENCE

OLDEST: Final = (3, 7)
"""The oldest that can run a driver here."""

PATIENCE: Final = 10.0
"""Seconds for an interpreter to say its version; wrappers of tools that manage versions may hang."""

_NAME: Final = re.compile(r"python([23](\.\d+)?)?")
_ASK: Final = (
    "import os, sys; print('%d.%d.%d' % sys.version_info[:3]); "
    "print(os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable))"
)


def find(environ: Mapping[str, str]) -> list[Interpreter]:
    """The interpreters that answer, newest first: those of PATH, pyenv, uv, the system and ``/opt``."""
    real = {
        os.path.realpath(path): None for folder in _folders(environ) for path in _pythons(folder)
    }
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = pool.map(ask, map(Path, real))
    found = {answer.path: answer for answer in answers if answer is not None}
    return sorted(found.values(), key=lambda one: (one.numbers, str(one.path)), reverse=True)


def ask(path: Path) -> Interpreter | None:
    """The interpreter that ``path`` starts, or None where it does not answer like one."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _ask(path, changed)


@lru_cache(maxsize=256)
def _ask(path: Path, _changed: int) -> Interpreter | None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        answer = subprocess.run(
            [path, "-s", "-S", "-c", _ASK],
            capture_output=True,
            env=environ,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=PATIENCE,
        )
        version, real = answer.stdout.splitlines()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Interpreter(path=Path(real), version=version) if answer.returncode == 0 else None


def choose(
    shell: Shell,
    python: str | None,
    here: Sequence[Interpreter],
    preference: Sequence[str] = PREFERENCE,
    who: str = "it was asked for",
) -> Interpreter:
    """The interpreter that the shell's driver gets, and why.

    :param python: what the user asked for, a version or a path; it wins over the metadata.
    :param here: the interpreters of this machine.
    :param preference: versions, best first, where any Python 3 will do; others come after, newest first.
    :param who: who asked for ``python``, as the reason.
    :raises PythonError: there is none that fits; names what is there and what to try.
    """
    asked = python or (shell.driver.python if shell.driver else None) or "2"
    if not python and asked.startswith("2"):
        raise PythonError(_python_two(shell, here, preference))
    reason = who if python else f"the metadata of shell {shell.name!r} ask for Python {asked}"
    if os.sep in asked:
        return replace(_usable(asked, ask(Path(asked).expanduser())), why=reason)
    version = asked.lower().removeprefix("python").strip()
    fitting = [
        one for one in here if f"{one.version}.".startswith(f"{version}.") and one.numbers >= OLDEST
    ]
    if not fitting:
        raise PythonError(
            f"no Python {version} that can run shell {shell.name!r} on this machine; {_listed(here)}"
        )
    best = min(fitting, key=lambda one: _rank(one, preference))
    others = len({one.minor for one in fitting}) > 1
    return replace(
        best, why=f"{reason}; {best.minor} is preferred of those here" if others else reason
    )


def _rank(one: Interpreter, preference: Sequence[str]) -> tuple[int, tuple[int, ...]]:
    """Sorts by preference, then newest first."""
    place = preference.index(one.minor) if one.minor in preference else len(preference)
    return place, tuple(-number for number in one.numbers)


def _usable(asked: str, found: Interpreter | None) -> Interpreter:
    if found is None:
        raise PythonError(
            f"{asked!r} is no Python interpreter; give the path of one, or a version such as '3.11'"
        )
    if found.numbers < OLDEST:
        raise PythonError(f"{asked!r} is Python {found.version}; drivers run on 3.7 and later")
    return found


def _python_two(shell: Shell, here: Sequence[Interpreter], preference: Sequence[str]) -> str:
    usable = [one for one in here if one.numbers >= OLDEST]
    best = min(usable, key=lambda one: _rank(one, preference)).minor if usable else "3.9"
    minors = {one.minor for one in usable}
    old = "3.9" if "3.9" in minors else best
    asks = shell.driver.python if shell.driver else None
    said = f"ask for Python {asks}" if asks else "name no PythonVersion, which means 2"
    return (
        f"shell {shell.name!r} is written for Python 2 (its metadata {said}), which does not run here; "
        f"many such drivers run on 3 all the same: try it with --python {old}, "
        f"and if it works, set python under plugins.environment.shells.{shell.name!r}"
    )


def _listed(here: Sequence[Interpreter]) -> str:
    usable = dict.fromkeys(one.minor for one in here if one.numbers >= OLDEST)
    return f"there are {', '.join(usable)}" if usable else "there is no Python 3.7 or later at all"


def _folders(environ: Mapping[str, str]) -> Iterable[Path]:
    home = Path(environ.get("HOME") or Path.home())
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv")
    uv = Path(environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    for entry in environ.get("PATH", os.defpath).split(os.pathsep):
        # a shim only starts what pyenv's versions folder has, slowly, and not always
        if entry and Path(entry) != pyenv / "shims":
            yield Path(entry)
    yield from sorted(pyenv.glob("versions/*/bin"))
    yield from sorted(uv.glob("*/bin"))
    yield from (Path("/usr/bin"), Path("/usr/local/bin"))
    yield from sorted(Path("/opt").glob("*/bin"))


def _pythons(folder: Path) -> Iterable[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    yield from (
        entry.path
        for entry in entries
        if _NAME.fullmatch(entry.name) and os.access(entry.path, os.X_OK)
    )
