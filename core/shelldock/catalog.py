"""The installed shells: those that were added, those that plugins bring, and those of installed distributions."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from shelldock.declarations import Declaration, declared
from shelldock.errors import ConflictError, NotFoundError, ShelldockError, ShellError
from shelldock.model import Shell, Value
from shelldock.packing import foreign
from shelldock.updates import refuse_lower, refuse_removal

log = logging.getLogger(__name__)

_RECORD: Final = "shell.json"
_CHANGED: Final = ".changed"
_LOCK_SECONDS: Final = 60


class Broken(Value, frozen=True, kw_only=True):
    """A shell that is there and cannot be used: its name as far as it is known, where it is from, and why."""

    name: str
    source: str
    reason: str


class _Record(Value, frozen=True, kw_only=True):
    """What is kept of an added shell, beside its copy. Written last: what it does not name does not count."""

    name: str
    version: str
    path: str
    """Of the copy, relative to the record."""
    origin: str
    added: float


class _Found(Value, frozen=True, kw_only=True):
    """All that the catalog knows at one time."""

    shells: dict[str, Shell]
    broken: tuple[Broken, ...]


class Catalog:
    """Finds installed shells by name. Nothing is read before it is asked for, and no broken shell hides another.

    Of two shells with one name the added one counts, then that of a plugin, then that of a distribution; the
    others are listed as broken.

    :param folder: where copies of added shells are kept; other processes may add to it at the same time.
    :param read: reads the shell at a path, or raises ``ShellError``.
    :param contributed: folders and packages that plugins bring.
    """

    def __init__(
        self, folder: Path, read: Callable[[Path], Shell], contributed: Sequence[Path] = ()
    ) -> None:
        self._folder = folder
        self._read = read
        self._contributed = tuple(contributed)
        self._fixed: _Found | None = None
        self._found: _Found | None = None
        self._seen: object = None

    def shells(self) -> list[Shell]:
        """Every shell that can be used, sorted by name."""
        return [shell for _, shell in sorted(self._all().shells.items())]

    def broken(self) -> list[Broken]:
        """Every shell that is there and cannot be used."""
        return list(self._all().broken)

    def get(self, name: str) -> Shell:
        """The shell of this name; case matters only where two differ by nothing else.

        Raises ``NotFoundError`` with the nearest names, and ``ShellError`` where it is there but broken.
        """
        found = self._all()
        if name in found.shells:
            return found.shells[name]
        alike = [one for one in found.shells if one.casefold() == name.casefold()]
        if len(alike) == 1:
            return found.shells[alike[0]]
        for one in found.broken:
            if one.name == name:
                raise ShellError(one.source, one.reason)
        raise NotFoundError("shell", name, found.shells, hint="`shelldock shell list` shows all")

    def open(self, name: str | os.PathLike[str]) -> Shell:
        """The shell at this path where there is such a file or folder, else the one of this name.

        Raises ``ShellError`` or ``NotFoundError``.
        """
        path = Path(name)
        if path.exists():
            return self._read(path.absolute())
        if isinstance(name, os.PathLike) or os.sep in name:
            raise NotFoundError("file or folder", str(name))
        return self.get(name)

    # ---- adding and removing ------------------------------------------------------------------

    def add(self, path: Path, *, force: bool = False, origin: str = "") -> Shell:
        """Copy the shell at ``path``, so that it stays, whatever becomes of the original.

        :param origin: where it is from, for people; by default the path.

        The same version again replaces the copy; so does any shell with ``force``. The copy before stays on disk
        until the next one comes, for instances that still run from it. Raises ``ShellError`` where it cannot be
        read, and ``ConflictError`` where a higher version is there (P10) or attributes are missing that were there
        (P11). Whatever fails, the old one stays.
        """
        path = Path(path).absolute()
        shell = self._read(path)
        with locked(self._folder):
            home = self._folder / _safe(shell.name)
            known = _record(home / _RECORD)
            if known is not None and not force:
                self._refuse(shell, known, home)
            place = self._copied(path, home)
            try:
                added = self._read(place)
            except ShelldockError:
                shutil.rmtree(place.parent, ignore_errors=True)
                raise
            _write(home, place, added, origin or str(path))
            _tidy(
                home, keep=[place.parent.name, *([known.path.partition("/")[0]] if known else [])]
            )
        log.info("shell %r %s was added from %s", added.name, added.version, origin or path)
        return replace(added, origin=_added(origin or str(path)))

    def remove(self, name: str) -> None:
        """Forget an added shell and its copy.

        Raises ``NotFoundError``, and ``ConflictError`` for one that was not added but is installed with something.
        """
        name = self.spelt(name)
        with locked(self._folder):
            home = self._folder / _safe(name)
            if _record(home / _RECORD) is not None or home.is_dir():
                (home / _RECORD).unlink(missing_ok=True)
                shutil.rmtree(home, ignore_errors=True)
                return
        origin = self.get(name).origin
        raise ConflictError(
            f"shell {name!r} was not added: it comes with {origin}; uninstall that to remove it"
        )

    def _refuse(self, shell: Shell, known: _Record, home: Path) -> None:
        """Raise ``ConflictError`` where ``shell`` must not take the place of the one that is there."""
        refuse_lower(shell, known.version)
        try:
            installed = self._read(home / known.path)
        except ShelldockError:
            return  # it cannot be used either: nothing is lost with it
        refuse_removal(shell, installed)

    def spelt(self, name: str) -> str:
        """The name as the shell has it; as given for one that is broken or not there."""
        try:
            return self.get(name).name
        except (NotFoundError, ShellError):
            return name

    def _copied(self, path: Path, home: Path) -> Path:
        """A copy below ``home``, in a folder with the next free number; whole, or not there."""
        half_made = Path(tempfile.mkdtemp(prefix=".adding.", dir=self._folder))
        try:
            copy = half_made / path.name
            if path.is_dir():
                shutil.copytree(path, copy, ignore=foreign, ignore_dangling_symlinks=True)
            else:
                shutil.copyfile(path, copy)
            home.mkdir(exist_ok=True)
            place = home / str(1 + max(_numbers(home), default=0))
            half_made.rename(place)
        except (OSError, shutil.Error) as error:
            raise ShellError(path, f"cannot be copied: {_why(error)}") from error
        finally:
            shutil.rmtree(half_made, ignore_errors=True)
        return place / path.name

    # ---- finding ------------------------------------------------------------------------------

    def _all(self) -> _Found:
        """What there is now. Asked for every command, so that it costs one look at the disk."""
        seen = _stamp(self._folder / _CHANGED)
        if self._found is None or seen != self._seen:
            self._found, self._seen = self._gathered(), seen
        return self._found

    def _gathered(self) -> _Found:
        gathered = _Gathered(self._read)
        for path in sorted(self._folder.glob(f"*/{_RECORD}")):
            record = _record(path)
            if record is None:
                gathered.broken.append(
                    Broken(
                        name=path.parent.name, source=str(path), reason="its record is unreadable"
                    )
                )
            else:
                gathered.take(record.name, _added(record.origin), path.parent / record.path)
        if self._fixed is None:
            self._fixed = self._installed()
        for shell in self._fixed.shells.values():
            gathered.keep(shell)
        gathered.broken += self._fixed.broken
        return gathered.found()

    def _installed(self) -> _Found:
        gathered = _Gathered(self._read)
        for path in self._contributed:
            gathered.take(path.stem, f"{path} (plugin)", path)
        for one in declared():
            if one.path is None:
                gathered.broken.append(Broken(name=one.name, source=one.source, reason=one.reason))
            else:
                gathered.take(one.name, one.source, one.path, one)
        return gathered.found()


class _Gathered:
    """Collects shells; the first of a name stays, the others and the unreadable ones are broken."""

    def __init__(self, read: Callable[[Path], Shell]) -> None:
        self._read = read
        self._shells: dict[str, Shell] = {}
        self.broken: list[Broken] = []

    def take(
        self, name: str, source: str, path: Path, declaration: Declaration | None = None
    ) -> None:
        """Read the shell at ``path`` and keep it."""
        try:
            shell = self._read(path)
        except ShelldockError as error:
            reason = error.reason if isinstance(error, ShellError) else str(error)
            self.broken.append(Broken(name=name, source=source, reason=reason))
            return
        self.keep(replace(_with_extra(shell, declaration), origin=source))

    def keep(self, shell: Shell) -> None:
        """Keep a shell that was read, unless its name is taken."""
        taken = self._shells.get(shell.name)
        if taken is None:
            self._shells[shell.name] = shell
            return
        reason = f"the name {shell.name!r} is taken by {taken.origin}"
        self.broken.append(Broken(name=shell.name, source=shell.origin, reason=reason))

    def found(self) -> _Found:
        """All of it."""
        return _Found(shells=self._shells, broken=tuple(self.broken))


def _with_extra(shell: Shell, declaration: Declaration | None) -> Shell:
    """The shell with the requirements of its distribution's extra, unless it has its own."""
    driver = shell.driver
    if driver is None or declaration is None or declaration.requirements is None:
        return shell
    if driver.requirements is not None or (driver.source / "requirements.txt").exists():
        return shell
    return replace(shell, driver=replace(driver, requirements=declaration.requirements))


# ---- records ------------------------------------------------------------------------------------


def _record(path: Path) -> _Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Record)
    except (OSError, msgspec.DecodeError):
        return None


def _write(home: Path, place: Path, shell: Shell, origin: str) -> None:
    """Point the record at the new copy: the one moment in which the old shell becomes the new one."""
    record = _Record(
        name=shell.name,
        version=shell.version,
        path=place.relative_to(home).as_posix(),
        origin=origin,
        added=time.time(),
    )
    draft = home / f".{_RECORD}"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(record))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(home / _RECORD)


def _tidy(home: Path, keep: Sequence[str]) -> None:
    for number in _numbers(home):
        if str(number) not in keep:
            shutil.rmtree(home / str(number), ignore_errors=True)


def _numbers(home: Path) -> list[int]:
    return [int(one.name) for one in home.iterdir() if one.name.isdecimal()]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be alone with a folder of shells among all processes; what somebody left half made is cleared away."""
    from filelock import FileLock, Timeout  # only who changes shells needs it

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        raise ConflictError(
            f"another process has been changing {str(folder)!r} for {_LOCK_SECONDS} s"
        ) from None
    try:
        for one in folder.glob(".adding.*"):
            shutil.rmtree(one, ignore_errors=True)
        yield
    finally:
        _renew(folder / _CHANGED)
        lock.release()


def _renew(path: Path) -> None:
    """Make ``path`` another file, so that every catalog on this folder looks again."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch()
    draft.replace(path)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


# ---- small rules --------------------------------------------------------------------------------


def _added(origin: str) -> str:
    return f"{origin} (added)"


def _safe(name: str) -> str:
    """A folder name of its own for each shell name, readable where that is possible."""
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", name)[:60]
    return f"{readable}.{sha256(name.encode()).hexdigest()[:8]}"


def _why(error: OSError) -> str:
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        first = error.args[0][0]
        return f"{first[0]}: {first[2]}"
    return error.strerror or str(error)
