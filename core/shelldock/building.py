"""Makes one environment: in a folder of its own, moved into place when it is complete."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from msgspec.structs import replace

from shelldock import manifest
from shelldock.errors import EnvironmentFailed, PluginError
from shelldock.model import Environment, EnvironmentState, Interpreter, Needs, Shell
from shelldock.shelf import Shelf

Build = Callable[[Needs, Path, Path], Path]
"""The hook ``shelldock_build``."""


class Makers(Protocol):
    """Who says how environments are made: the hooks of the same names."""

    def python(self, shell: Shell, asked: str | None) -> Interpreter:
        """What the driver runs on."""
        raise NotImplementedError

    def needs(self, shell: Shell, python: Interpreter) -> Needs:
        """What it requires."""
        raise NotImplementedError

    def build(self, needs: Needs, folder: Path, log: Path) -> Path:
        """The interpreter of the environment made in ``folder``, relative to that."""
        raise NotImplementedError


_INSTALL: Final = """\
import compileall, os, shutil, sys, sysconfig
target = os.path.join(sysconfig.get_path("purelib"), "shelldriver")
shutil.rmtree(target, ignore_errors=True)
shutil.copytree(sys.argv[1], target, ignore=shutil.ignore_patterns("__pycache__"))
sys.exit(0 if compileall.compile_dir(target, quiet=1) else "shelldriver cannot be compiled")
"""


@dataclass(frozen=True)
class Step:
    """One resolving or building: where it logs, and whether anybody still waits for it."""

    log: Path
    given_up: threading.Event = field(default_factory=threading.Event)
    """Set when the limit is over or the host closes: end what you started, and raise."""


current_step: ContextVar[Step | None] = ContextVar("current_step", default=None)
"""The step in which ``Makers`` are asked, for those that wait long."""


class Report:
    """Tells what happens to one environment, unless it was told already."""

    def __init__(self, about: Environment, changed: Callable[[Environment], None]) -> None:
        self.about = about
        self._changed = changed
        self._told: Environment | None = None

    def tell(self, state: EnvironmentState, note: str = "") -> None:
        """It is in this state now."""
        self.about = replace(self.about, state=state, note=note)
        if self.about != self._told:
            self._told = self.about
            self._changed(self.about)

    def done(self, environment: Environment) -> Environment:
        """It is complete; nothing is told where nothing was going on."""
        if self._told is not None and self._told.state != "ready":
            self.about = environment
            self.tell("ready")
        return environment


def last_line(file: Path) -> str:
    """The last that was said in a log; lines that begin with ``$`` are what was asked."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - 4096))
            lines = opened.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    said = (line.strip() for line in reversed(lines) if not line.startswith("$ "))
    return next((line for line in said if line), "")


class DriverPackage:
    """The package ``shelldriver``, of which every environment has a copy; never imported here.

    Its digest is part of the environment's digest: another version of it means another environment, and what
    runs is never changed beneath it. No installing comes of that: see ``linked``.

    :param source: its folder; None: where it is installed beside us.
    """

    def __init__(self, source: Path | None = None) -> None:
        self.source = source or _installed()
        self.digest = _digest(self.source)

    def install(self, python: Path) -> None:
        """Copy it to where ``python`` looks for packages, compiled."""
        done = subprocess.run(
            [python, "-I", "-c", _INSTALL, self.source],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            reason = lines[-1] if lines else f"exit status {done.returncode}"
            raise EnvironmentFailed(
                python.parent.parent.name, "build", f"cannot add shelldriver: {reason}"
            )


def make(
    shelf: Shelf, name: str, needs: Needs, build: Build, package: DriverPackage, step: Step
) -> Environment:
    """A new environment on ``shelf``. Blocks, so call it in a thread; the caller has the build lock of its digest."""
    digest = manifest.digest_of(needs, package.digest)
    with shelf.workshop(digest) as folder:
        python = build(needs, folder, step.log)
        if python.is_absolute() or not (folder / python).exists():
            raise PluginError(
                f"the builder of {name!r} answered {str(python)!r}, which is no file in its folder"
            )
        package.install(folder / python)
        made = manifest.Manifest(digest=digest, needs=needs, python=str(python), built=time.time())
        manifest.write(folder, made)
        if step.given_up.is_set():
            raise EnvironmentFailed(name, "build", "nobody waits for it any more")
        placed = manifest.read(shelf.place(folder, name))
    assert placed is not None
    return placed


def linked(shelf: Shelf, needs: Needs) -> Build | None:
    """A builder that links the files of an environment with the same needs; None where there is none.

    There is one after ``shelldriver`` has changed. Environments may be moved, so they may be copied too.
    """
    for one in shelf.all():
        if manifest.needs_of(one.path) == needs:
            return lambda _needs, folder, _log: _link(shelf, one, folder)
    return None


def _link(shelf: Shelf, old: Environment, folder: Path) -> Path:
    hold = shelf.hold(old.name)
    try:
        shutil.copytree(
            old.path, folder, symlinks=True, copy_function=_link_file, dirs_exist_ok=True
        )
    finally:
        hold.release()
    (folder / manifest.FILE).unlink()  # written anew: the two must not be one file
    return old.python.relative_to(old.path)


def _link_file(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # too many links, or a file system without them
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _installed() -> Path:
    spec = importlib.util.find_spec("shelldriver")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            content = file.read_bytes()
            digest.update(
                f"{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content
            )
    return digest.hexdigest()
