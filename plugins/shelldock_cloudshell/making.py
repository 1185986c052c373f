"""Resolves what a driver needs and installs it, both with uv."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from shelldock.building import current_step
from shelldock.errors import EnvironmentFailed
from shelldock.model import Driver, Interpreter, Needs, Shell
from shelldock_cloudshell import uv
from shelldock_cloudshell.bytecode import Bytecode
from shelldock_cloudshell.environment import Environment, Repairs
from shelldock_cloudshell.requirements import Options, options_of

PYTHON: Final = Path("bin", "python")
_BYTECODE: Final = ".bytecode"
"""Lies beside the environments, which link what is in it."""

_UNUSED: Final = 14 * 86400.0
"""Seconds for which bytecode stays that is in no environment."""

_BUILD_CONSTRAINT: Final = "--build-constraint="
"""Ours, among the options of needs: uv wants a file."""


def resolve(settings: Environment, shell: Shell, driver: Driver, python: Interpreter) -> Needs:
    """What the driver of ``shell`` requires, exactly. Raises ``EnvironmentFailed``."""
    with tempfile.TemporaryDirectory(prefix="shelldock-") as folder:
        return _resolve(settings, shell, driver, python, Path(folder))


def build(settings: Environment, needs: Needs, folder: Path, log: Path) -> Path:
    """Make the environment in ``folder``; its interpreter, relative to that. Raises ``EnvironmentFailed``."""
    try:
        binary = uv.binary(settings.uv)
        uv.run(
            binary,
            ["venv", "--relocatable", "--python", needs.python, str(folder)],
            log,
            os.environ,
        )
        if needs.pins:
            _install(settings, binary, needs, folder, log)
            _compile(needs, folder, log)
    except uv.Failed as error:
        raise EnvironmentFailed(folder.name, "build", str(error)) from error
    return PYTHON


def _resolve(
    settings: Environment, shell: Shell, driver: Driver, python: Interpreter, folder: Path
) -> Needs:
    step = current_step.get()
    log = step.log if step else folder / "log"
    repairs = settings.repairs(shell)
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
    options = _sources(settings, repairs, found)
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
            *(["--offline"] if settings.offline else []),
        ]
        try:
            uv.run(uv.binary(settings.uv), arguments, log, os.environ)
        except uv.Failed as error:
            raise EnvironmentFailed(shell.name, "resolve", str(error)) from error
        pins = [line.strip() for line in answer.read_text(encoding="utf-8").splitlines()]
    return Needs(
        python=str(python.path),
        version=python.version,
        pins=tuple(sorted(pin for pin in pins if pin and not pin.startswith("#"))),
        options=tuple(options),
    )


def _install(settings: Environment, binary: str, needs: Needs, folder: Path, log: Path) -> None:
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
            if settings.offline:
                raise
            uv.run(binary, arguments, log, os.environ)


def _sources(settings: Environment, repairs: Repairs, found: Options) -> list[str]:
    """The options with which the pins are found, now and when they are installed."""
    options = list(found.sources)
    if settings.index_url and not found.has_index:
        options += ["--index-url", settings.index_url]
    options += _each("--extra-index-url", settings.extra_index_urls)
    options += _each(
        "--find-links",
        (str(Path(one).expanduser()) if "://" not in one else one for one in settings.find_links),
    )
    options += _each("--allow-insecure-host", settings.trusted_hosts)
    options += ["--no-index"] if settings.no_index else []
    options += (
        ["--index-strategy", settings.index_strategy]
        if settings.index_strategy != "first-index"
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
