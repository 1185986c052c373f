"""All that must survive in one file, and back: the store, the key, the settings, the installed shells."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import msgspec
from sqlalchemy import Connection, Table, delete, func, insert, select

from shelldock.catalog import locked
from shelldock.errors import ConflictError, InputError, NotFoundError, StoreError
from shelldock.holding import Holding
from shelldock.model import Value
from shelldock.paths import Paths, private
from shelldock.settings import Settings, load
from shelldock.store import Store
from shelldock.tables import HEAD, metadata, revisions, schema

FORMAT: Final = 1
CONTENTS: Final = "shelldock-backup.json"

_STORE: Final = "store.db"
_KEY: Final = "key"
_SETTINGS: Final = "settings.toml"
_SHELLS: Final = "shells"
_ROWS: Final = 500
"""How many rows are held in memory."""

_DAMAGED: Final = (
    BadZipFile,
    EOFError,
    KeyError,
    NotImplementedError,
    ValueError,
    msgspec.DecodeError,
    zlib.error,
)

_TABLES: Final = [one for one in metadata.sorted_tables if one not in (revisions, schema)]


class Backup(Value, frozen=True, kw_only=True):
    """What is in the file beside this."""

    format: int = FORMAT
    version: str
    """Of the program that wrote it."""
    revision: str
    """How its store is laid out: the newest migration."""
    made: float
    """Unix time."""
    rows: dict[str, int]
    """For each table of the store, how many there are."""
    files: dict[str, str]
    """For each file, the SHA-256."""


class Restored(Value, frozen=True, kw_only=True):
    """What became of a file that was restored."""

    backup: Backup
    place: str
    """The store that its rows are in now, without its password."""
    settings: bool
    """Whether its settings are in use; others that were there before stay."""


def opened(settings: Settings, paths: Paths) -> Store:
    """The store that the settings name, by default a file under ``paths``."""
    return Store(settings.store.url or f"sqlite:///{paths.store}")


# ---- there ----------------------------------------------------------------------------------------


def write(file: Path, store: Store, paths: Paths, settings: Path, *, force: bool = False) -> Backup:
    """Write all of it into ``file``, whole or not at all, for its owner only. Hosts may go on working meanwhile.

    The store is as it was at one moment, and so are the shells, a little later.

    :param settings: the settings file, which need not exist. :param force: write over a file that is there.
    :raises ConflictError: there is such a file. :raises StoreError: something cannot be read or written.
    """
    if file.exists() and not force:
        raise ConflictError(f"{str(file)!r} is there already; choose another name, or give --force")
    with _said("write", file), _workplace(file.absolute().parent) as folder:
        draft = folder / "draft"
        draft.touch(0o600)
        with ZipFile(draft, "w", ZIP_DEFLATED) as archive:
            made = _written(archive, folder / _STORE, store, paths, settings)
        _keep(draft)
        draft.replace(file)
    return made


def _written(archive: ZipFile, copy: Path, store: Store, paths: Paths, settings: Path) -> Backup:
    rows = _copy(store, copy)
    files = {_STORE: _pack(archive, copy, _STORE)}
    for name, one in ((_KEY, paths.key), (_SETTINGS, settings)):
        if one.exists():
            files[name] = _pack(archive, one, name)
    with locked(paths.shells):
        for one in _files(paths.shells):
            name = f"{_SHELLS}/{one.relative_to(paths.shells).as_posix()}"
            files[name] = _pack(archive, one, name)
    made = Backup(
        version=version("shelldock"), revision=HEAD, made=time.time(), rows=rows, files=files
    )
    archive.writestr(CONTENTS, msgspec.json.encode(made))
    return made


def _files(folder: Path) -> Iterator[Path]:
    for one in sorted(folder.rglob("*")):
        if one.is_file() and one.relative_to(folder).parts[0][0] != ".":
            yield one


def _pack(archive: ZipFile, file: Path, name: str) -> str:
    archive.write(file, name)
    return _digest(file)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _copy(store: Store, file: Path) -> dict[str, int]:
    """Write the store as it is at this moment into an SQLite file; returns how many rows each table has."""
    with store.transaction() as source:
        rows = _counted(source)  # from here on it reads what there was at this moment
        driver = source.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            with closing(sqlite3.connect(file)) as copy:
                driver.backup(copy)
        else:
            with (
                closing(Store(f"sqlite:///{file}")) as copied,
                copied.transaction(write=True) as target,
            ):
                _fill(source, target)
    return rows


def _counted(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in _TABLES
    }


def _fill(source: Connection, target: Connection) -> None:
    for table in _TABLES:
        rows = source.execute(select(table).execution_options(yield_per=_ROWS))
        for some in rows.mappings().partitions(_ROWS):
            target.execute(insert(table), [dict(row) for row in some])
        _count_on(target, table)


def _count_on(target: Connection, table: Table) -> None:
    """Let a database that counts rows by itself go on after those that brought their numbers."""
    column = table.autoincrement_column
    if column is None or target.dialect.name != "postgresql":
        return
    sequence = func.pg_get_serial_sequence(table.name, column.name)
    following = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
    target.execute(select(func.setval(sequence, following, False)))


def _keep(file: Path) -> None:
    with file.open("rb+") as written:
        os.fsync(written.fileno())


# ---- and back -------------------------------------------------------------------------------------


def restore(
    file: Path, paths: Paths, settings: Path, environ: Mapping[str, str], *, force: bool = False
) -> Restored:
    """Put back what ``write`` wrote, all of it or nothing, into the store that the settings name.

    :param settings: the settings file. Where there is one it stays; else that of ``file`` takes its place.
    :param force: put it in the place of what is there.
    :raises InputError: ``file`` is none of ours, or damaged. :raises ConflictError: there is something already.
    :raises HeldError: a server uses the data; it must be stopped, also with ``force``.
    :raises StoreError: something cannot be read or written, or a newer version of Shelldock wrote it.
    """
    if not file.is_file():
        raise NotFoundError("file", str(file))
    with _said("restore", file), _workplace(private(paths.data)) as folder:
        made = _unpacked(file, folder)
        keeps = settings.exists()
        read = load(settings if keeps else folder / _SETTINGS, environ)
        with (
            closing(Store(f"sqlite:///{folder / _STORE}")) as source,
            closing(opened(read, paths)) as target,
        ):
            source.resources()  # one of an earlier version becomes one of this
            holding = Holding.take(paths.data, target)
            try:
                if not force:
                    _refuse_full(target, paths)
                _exchange(source, target, _Places(folder, paths, None if keeps else settings))
            finally:
                holding.release()
            return Restored(
                backup=made, place=target.place, settings=not keeps and _SETTINGS in made.files
            )


def _unpacked(file: Path, folder: Path) -> Backup:
    try:
        with ZipFile(file) as archive:
            made = msgspec.json.decode(archive.read(CONTENTS), type=Backup)
            if made.format > FORMAT or made.revision > HEAD:
                raise StoreError(
                    f"cannot restore {str(file)!r}: version {made.version} of shelldock wrote it, and this one is "
                    "older; restore it with that version"
                )
            for name, digest in made.files.items():
                _unpack(archive, name, digest, folder)
            return made
    except _DAMAGED as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{str(file)!r} is no file that 'shelldock backup' wrote, or is damaged: {reason}"
        ) from error


def _unpack(archive: ZipFile, name: str, digest: str, folder: Path) -> None:
    path = PurePosixPath(name)
    known = name in (_STORE, _KEY, _SETTINGS) or path.parts[0] == _SHELLS
    if not known or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"it has a file {name!r}")
    info = archive.getinfo(name)
    target = folder / path
    private(target.parent)
    with archive.open(info) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    if _digest(target) != digest:
        raise ValueError(f"{name!r} is not as it was written")
    target.chmod((info.external_attr >> 16) & 0o700)
    _keep(target)


def _refuse_full(target: Store, paths: Paths) -> None:
    with target.transaction() as connection:
        rows = sum(_counted(connection).values())
    for there, place in ((rows, target.place), (next(_files(paths.shells), None), paths.shells)):
        if there:
            raise ConflictError(
                f"cannot restore into {str(place)!r}: it is not empty; give --force to replace what is there"
            )


def _exchange(source: Store, target: Store, places: _Places) -> None:
    try:
        with source.transaction() as copied, target.transaction(write=True) as connection:
            for table in reversed(_TABLES):
                connection.execute(delete(table))
            _fill(copied, connection)
            places.exchange()
    except BaseException:
        places.back()
        raise


class _Places:
    """The files and folders that take the place of others, and where those go meanwhile."""

    def __init__(self, folder: Path, paths: Paths, settings: Path | None) -> None:
        private(folder / _SHELLS)
        pairs = [(folder / _KEY, paths.key), (folder / _SHELLS, paths.shells)]
        if settings is not None:
            pairs.append((folder / _SETTINGS, settings))
        self._pairs = [(new, place) for new, place in pairs if new.exists()]
        self._before = private(folder / "before")
        self._aside: list[tuple[Path, Path]] = []
        self._placed: list[Path] = []

    def exchange(self) -> None:
        for new, place in self._pairs:
            private(place.parent)
            if place.exists():
                aside = self._before / new.name
                shutil.move(place, aside)
                self._aside.append((aside, place))
            shutil.move(new, place)
            self._placed.append(place)

    def back(self) -> None:
        """Undo as much of the exchange as was done."""
        for place in self._placed:
            shutil.move(place, self._before / f"{place.name}.new")
        for aside, place in self._aside:
            shutil.move(aside, place)


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """A folder inside ``folder``, so that renaming is enough, for its owner only."""
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=folder) as made:
        yield Path(made)


@contextmanager
def _said(doing: str, file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, shutil.Error) as error:
        reason = getattr(error, "strerror", None) or error
        at = getattr(error, "filename", None)
        where = f" ({at})" if at and str(at) != str(file) else ""
        raise StoreError(
            f"cannot {doing} {str(file)!r}: {str(reason).lower()}{where}; nothing was changed"
        ) from error
