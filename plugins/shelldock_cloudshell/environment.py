"""Resolves what a driver needs and installs it, both with uv."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from shelldock.building import current_step
from shelldock.errors import EnvironmentFailed
from shelldock.hookspecs import hookimpl
from shelldock.model import Driver, Interpreter, Needs, Shell
from shelldock_cloudshell import uv
from shelldock_cloudshell.bytecode import Bytecode
from shelldock_cloudshell.interpreters import PREFERENCE, choose, find
from shelldock_cloudshell.requirements import Options, options_of

PYTHON: Final = Path("bin", "python")
_PYTHON: Final = "plugins.environment.python"
_BYTECODE: Final = ".bytecode"
"""Lies beside the environments, which link what is in it."""

_UNUSED: Final = 14 * 86400.0
"""Seconds for which bytecode stays that is in no environment."""

_BUILD_CONSTRAINT: Final = "--build-constraint="
"""Ours, among the options of needs: uv wants a file."""

IndexStrategy = Literal["first-index", "unsafe-first-match", "unsafe-best-match"]


class Repairs(msgspec.Struct, frozen=True, kw_only=True):
    """What makes requirements resolve that no longer do as they are written."""

    python: str = ""
    """Version or path of the interpreter, as if the user had asked for it."""
    exclude_newer: str = ""
    """Date (``2023-01-31``): the index as it was then. Tools that build distributions are exempt."""
    extra_packages: tuple[str, ...] = ()
    """Requirements that the shells forgot, such as ``setuptools<81``."""
    constraints: tuple[str, ...] = ()
    """Requirements that hold for whatever is installed."""
    overrides: tuple[str, ...] = ()
    """Requirements that hold in place of what distributions ask for."""
    build_constraints: tuple[str, ...] = ()
    """Requirements that hold for the tools that build distributions."""


class Environment(Repairs, frozen=True, kw_only=True):
    """Makes environments with uv; its fields are the settings ``[plugins.environment]``.

    Besides, uv's own settings count: its file ``uv.toml`` and the variables ``UV_…``, and ``HTTPS_PROXY``.
    """

    uv: str = ""
    """Path of uv; empty: the one that was installed with Shelldock."""
    index_url: str = ""
    """The index, where the requirements file names none; empty: uv's."""
    extra_index_urls: tuple[str, ...] = ()
    """Indexes that are asked before that one."""
    find_links: tuple[str, ...] = ()
    """Folders or pages with distributions."""
    no_index: bool = False
    """Take distributions from ``find_links`` alone."""
    trusted_hosts: tuple[str, ...] = ()
    """Hosts whose certificates are not looked at."""
    index_strategy: IndexStrategy = "first-index"
    """Whether other indexes are asked for versions that the first one with the package does not have."""
    offline: bool = False
    """Take everything from uv's cache."""
    python_preference: tuple[str, ...] = PREFERENCE
    """Versions, best first, where a shell asks for Python 3."""
    shells: dict[str, Repairs] = {}
    """Repairs for single shells, by name, in addition."""

    @hookimpl(trylast=True)
    def shelldock_python(self, shell: Shell, asked: str | None) -> Interpreter | None:
        """What the user, the settings or the metadata ask for, in this order (checklist D9)."""
        set_here = self.shells.get(shell.name, Repairs()).python
        setting = f"plugins.environment.shells.{shell.name!r}.python" if set_here else _PYTHON
        wanted = asked or set_here or self.python or None
        who = "it was asked for" if asked else f"the setting {setting} asks for Python {wanted}"
        return choose(shell, wanted, find(os.environ), self.python_preference, who)

    @hookimpl(trylast=True)
    def shelldock_needs(self, shell: Shell, python: Interpreter) -> Needs | None:
        """Resolve ``requirements.txt``, or the lines that the shell has in its place."""
        if shell.driver is None:
            return None
        with tempfile.TemporaryDirectory(prefix="shelldock-") as folder:
            return self._resolve(shell, shell.driver, python, Path(folder))

    @hookimpl(trylast=True)
    def shelldock_build(self, needs: Needs, folder: Path, log: Path) -> Path | None:
        """Install exactly the pins, from the cache where all are there."""
        try:
            binary = uv.binary(self.uv)
            uv.run(
                binary,
                ["venv", "--relocatable", "--python", needs.python, str(folder)],
                log,
                os.environ,
            )
            if needs.pins:
                self._install(binary, needs, folder, log)
                _compile(needs, folder, log)
        except uv.Failed as error:
            raise EnvironmentFailed(folder.name, "build", str(error)) from error
        return PYTHON

    def _resolve(self, shell: Shell, driver: Driver, python: Interpreter, folder: Path) -> Needs:
        step = current_step.get()
        log = step.log if step else folder / "log"
        repairs = self._repairs(shell)
        asked = _requirements(driver, folder)
        found = options_of(asked) if asked else Options()
        _say(log, [f"Python {python.version} at {python.path}: {python.why}"])
        _say(
            log,
            [
                f"warning: uv has no equal of this option, which is left out: {one}"
                for one in found.refused
            ],
        )
        options = self._sources(repairs, found)
        pins: list[str] = []
        if asked or repairs.extra_packages:
            answer = folder / "pins.txt"
            files = _files(folder, repairs)
            arguments = [
                "pip",
                "compile",
                *([str(asked)] if asked else []),
                *files,
                "--output-file",
                str(answer),
            ]
            arguments += ["--python", str(python.path), "--no-header", "--no-annotate", "--quiet"]
            arguments += [
                *found.resolving,
                *_for_uv(options, folder),
                *(["--offline"] if self.offline else []),
            ]
            try:
                uv.run(uv.binary(self.uv), arguments, log, os.environ)
            except uv.Failed as error:
                raise EnvironmentFailed(shell.name, "resolve", str(error)) from error
            pins = [line.strip() for line in answer.read_text(encoding="utf-8").splitlines()]
        return Needs(
            python=str(python.path),
            version=python.version,
            pins=tuple(sorted(pin for pin in pins if pin and not pin.startswith("#"))),
            options=tuple(options),
        )

    def _install(self, binary: str, needs: Needs, folder: Path, log: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="shelldock-") as room:
            pins = _file(Path(room), "pins.txt", needs.pins)
            arguments = [
                "pip",
                "install",
                "--no-deps",
                "--python",
                str(folder / PYTHON),
            ]
            arguments += ["--requirements", str(pins), *_for_uv(needs.options, Path(room))]
            try:  # asking the index again takes seconds, the cache a tenth of one
                uv.run(binary, [*arguments, "--offline"], log, os.environ)
            except uv.Failed:
                if self.offline:
                    raise
                uv.run(binary, arguments, log, os.environ)

    def _repairs(self, shell: Shell) -> Repairs:
        own = self.shells.get(shell.name, Repairs())
        return replace(
            own,
            exclude_newer=own.exclude_newer or self.exclude_newer,
            extra_packages=self.extra_packages + own.extra_packages + _tools(shell),
            constraints=self.constraints + own.constraints,
            overrides=self.overrides + own.overrides,
            build_constraints=self.build_constraints + own.build_constraints,
        )

    def _sources(self, repairs: Repairs, found: Options) -> list[str]:
        """The options with which the pins are found, now and when they are installed."""
        options = list(found.sources)
        if self.index_url and not found.has_index:
            options += ["--index-url", self.index_url]
        options += _each("--extra-index-url", self.extra_index_urls)
        options += _each(
            "--find-links",
            (str(Path(one).expanduser()) if "://" not in one else one for one in self.find_links),
        )
        options += _each("--allow-insecure-host", self.trusted_hosts)
        options += ["--no-index"] if self.no_index else []
        options += (
            ["--index-strategy", self.index_strategy]
            if self.index_strategy != "first-index"
            else []
        )
        if repairs.exclude_newer:
            options += ["--exclude-newer", repairs.exclude_newer]
            options += _each("--exclude-newer-package", ("setuptools=false", "wheel=false"))
        return options + [_BUILD_CONSTRAINT + one for one in repairs.build_constraints]


def _compile(needs: Needs, folder: Path, log: Path) -> None:
    """Have bytecode for all that is installed, compiled now or for another environment."""
    bytecode = Bytecode(folder.parent / _BYTECODE, needs.version)
    packages = folder / "lib"
    if bytecode.bring(packages):
        return
    words = [str(folder / PYTHON), "-m", "compileall", "-q", "-j", "0", str(packages)]
    try:
        uv.attend(words, "python -m compileall", log, os.environ)
    except uv.Failed:  # distributions bring files for other Pythons, too: those stay as they are
        step = current_step.get()
        if step is not None and step.given_up.is_set():
            raise
    bytecode.keep(packages)
    bytecode.prune(_UNUSED)


def _tools(shell: Shell) -> tuple[str, ...]:
    return shell.driver.tools if shell.driver else ()


def _requirements(driver: Driver, folder: Path) -> Path | None:
    """The file that says what the driver needs; None where nothing does, which means nothing."""
    if driver.requirements is not None:
        return (
            _file(folder, "requirements.txt", driver.requirements) if driver.requirements else None
        )
    file = driver.source / "requirements.txt"
    return file if file.is_file() else None


def _files(folder: Path, repairs: Repairs) -> list[str]:
    """The repairs as uv takes them."""
    arguments = []
    if repairs.extra_packages:
        arguments.append(str(_file(folder, "extra-packages.txt", repairs.extra_packages)))
    if repairs.constraints:
        arguments += ["--constraints", str(_file(folder, "constraints.txt", repairs.constraints))]
    if repairs.overrides:
        arguments += ["--overrides", str(_file(folder, "overrides.txt", repairs.overrides))]
    return arguments


def _for_uv(options: Sequence[str], folder: Path) -> list[str]:
    """The options of needs as uv takes them."""
    builds = [
        one.removeprefix(_BUILD_CONSTRAINT) for one in options if one.startswith(_BUILD_CONSTRAINT)
    ]
    others = [one for one in options if not one.startswith(_BUILD_CONSTRAINT)]
    if builds:
        others += ["--build-constraints", str(_file(folder, "build-constraints.txt", builds))]
    return others


def _file(folder: Path, name: str, lines: Iterable[str]) -> Path:
    file = folder / name
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _say(log: Path, lines: Iterable[str]) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
