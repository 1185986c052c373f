"""Environments in one file, for machines that reach no index."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import msgspec
from msgspec.structs import replace

from shelldock import manifest
from shelldock.errors import EnvironmentFailed, InputError, ShellError
from shelldock.model import Environment, Interpreter, Needs, Shell, Value

FORMAT: Final = 1
CONTENTS: Final = "shelldock-environments.json"

_OURS: Final = "shelldriver"
"""Every environment has a copy, which whoever imports it makes from their own."""


class Packed(Value, frozen=True, kw_only=True):
    """One environment in the file, and what it was made for."""

    shell: Shell
    requirements: str | None
    """The text of the driver's file, where it has one."""
    needs: Needs
    files: dict[str, str]
    """For each file below its folder, the SHA-256."""


class Contents(Value, frozen=True, kw_only=True):
    """What is in the file."""

    format: int = FORMAT
    platform: str
    made: float
    """Unix time."""
    environments: tuple[Packed, ...]


def platform_tag() -> str:
    """What compiled modules depend on, beside the version of Python."""
    return "-".join((sys.platform, platform.machine(), platform.libc_ver()[0] or "libc"))


def export(file: Path, environments: Sequence[tuple[Shell, Environment]]) -> None:
    """Write the environments that were made for these shells into ``file``, whole or not at all.

    Raises ``ShellError`` for a shell without a driver, and ``OSError``.
    """
    draft = file.with_name(f".{file.name}.new")
    try:
        with ZipFile(draft, "w", ZIP_DEFLATED) as archive:
            packed = [
                _pack(archive, f"{number}/", shell, environment)
                for number, (shell, environment) in enumerate(environments)
            ]
            contents = Contents(
                platform=platform_tag(), made=time.time(), environments=tuple(packed)
            )
            archive.writestr(CONTENTS, msgspec.json.encode(contents, enc_hook=str))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


class Bundle:
    """A file of environments, open and verified; ``opened`` makes it."""

    def __init__(self, archive: ZipFile, contents: Contents) -> None:
        self.contents = contents
        self._archive = archive

    def unpack(self, number: int, folder: Path) -> None:
        """Write the files of an environment into ``folder``."""
        for name in self.contents.environments[number].files:
            info = self._archive.getinfo(f"{number}/{name}")
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._archive.open(info) as source, target.open("wb") as made:
                shutil.copyfileobj(source, made)
            target.chmod((info.external_attr >> 16) & 0o777 or 0o644)


@contextmanager
def opened(file: Path) -> Iterator[Bundle]:
    """The file, for as long as it is entered. Raises ``InputError`` where it is none, damaged, or not for here."""
    try:
        with ZipFile(file) as archive:
            contents = msgspec.json.decode(
                archive.read(CONTENTS), type=Contents, dec_hook=lambda kind, text: kind(text)
            )
            _verify(file, archive, contents)
            yield Bundle(archive, contents)
    except (BadZipFile, KeyError, EOFError, msgspec.DecodeError, NotImplementedError) as error:
        raise InputError(
            f"{str(file)!r} is no file that 'shelldock env export' wrote, or is damaged: {error}"
        ) from error
    except FileNotFoundError:
        raise InputError(f"there is no file {str(file)!r}") from None


class Adopted:
    """Makes an environment from what is in a bundle, in place of the plugins that resolve and build.

    :param interpreter: of the same minor version as the one that it was made for.
    """

    def __init__(self, bundle: Bundle, number: int, interpreter: Interpreter) -> None:
        self._bundle = bundle
        self._number = number
        self._interpreter = interpreter
        self._packed = bundle.contents.environments[number]

    @contextmanager
    def shell(self) -> Iterator[Shell]:
        """The shell as it was, as far as its needs depend on it."""
        assert self._packed.shell.driver is not None
        with tempfile.TemporaryDirectory(prefix="shelldock-") as folder:
            if self._packed.requirements is not None:
                Path(folder, "requirements.txt").write_text(
                    self._packed.requirements, encoding="utf-8", errors="surrogateescape"
                )
            driver = replace(self._packed.shell.driver, source=Path(folder))
            yield replace(self._packed.shell, driver=driver, path=Path(folder))

    def python(self, shell: Shell, asked: str | None) -> Interpreter:
        """The interpreter of this machine."""
        return self._interpreter

    def needs(self, shell: Shell, python: Interpreter) -> Needs:
        """What it was made from, with the interpreter of this machine."""
        return replace(self._packed.needs, python=str(python.path), version=python.version)

    def build(self, needs: Needs, folder: Path, log: Path) -> Path:
        """A virtual environment with the files of the bundle."""
        command = [needs.python, "-I", "-m", "venv", "--without-pip", "--symlinks", str(folder)]
        with log.open("ab") as output:
            status = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            ).returncode
        if status:
            raise EnvironmentFailed(
                folder.name, "build", f"{needs.python} cannot make environments"
            )
        self._bundle.unpack(self._number, folder)
        return Path("bin", "python")


def _pack(archive: ZipFile, prefix: str, shell: Shell, environment: Environment) -> Packed:
    needs = manifest.needs_of(environment.path)
    if shell.driver is None or needs is None:
        raise ShellError(shell.path, "it has no driver, so it needs no environment")
    files = {}
    for path in _files(environment.path):
        name = path.relative_to(environment.path).as_posix()
        content = path.read_bytes()
        info = ZipInfo(prefix + name)
        info.compress_type = ZIP_DEFLATED
        info.external_attr = path.stat().st_mode << 16
        archive.writestr(info, content)
        files[name] = hashlib.sha256(content).hexdigest()
    file = shell.driver.source / "requirements.txt"
    text = file.read_text("utf-8", "surrogateescape") if file.is_file() else None
    return Packed(shell=shell, requirements=text, needs=needs, files=files)


def _files(environment: Path) -> Iterator[Path]:
    """What was installed: no interpreter, no bytecode, and nothing of ours."""
    for packages in environment.glob("lib/python*/site-packages"):
        for path in sorted(packages.rglob("*")):
            inside = path.relative_to(packages).parts
            if path.is_file() and "__pycache__" not in inside and not inside[0].startswith(_OURS):
                yield path
    for path in sorted((environment / "bin").iterdir()):
        if (
            path.is_file()
            and not path.is_symlink()
            and not path.name.startswith(("python", "activate"))
        ):
            yield path


def _verify(file: Path, archive: ZipFile, contents: Contents) -> None:
    if contents.format != FORMAT:
        raise InputError(
            f"{str(file)!r} has format {contents.format}, this version reads {FORMAT}: export it again"
        )
    if contents.platform != platform_tag():
        raise InputError(
            f"{str(file)!r} was made on {contents.platform}, and this is {platform_tag()}: "
            "export it on a machine like this"
        )
    for number, packed in enumerate(contents.environments):
        for name, digest in packed.files.items():
            place = PurePosixPath(name)
            if place.is_absolute() or ".." in place.parts:
                raise InputError(f"{str(file)!r} is damaged: {name!r} would lie outside")
            if hashlib.sha256(archive.read(f"{number}/{name}")).hexdigest() != digest:
                raise InputError(f"{str(file)!r} is damaged: {name!r} is not what was written")
