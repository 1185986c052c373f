"""Unpacking strangers' zip archives into folders that stay: everything is checked before anything is written."""

from __future__ import annotations

import hashlib
import lzma
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import msgspec

from shelldock.errors import ShellError

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeDecodeError,
    ValueError,
)
"""What ``zipfile`` raises on archives that are cut off, damaged or packed in a way it does not know."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much an archive may expand to: bytes and files in all, and times its own size."""

    total: int = 512 * 2**20
    files: int = 20_000
    ratio: float = 200
    ratio_from: int = 32 * 2**20
    """Bytes below which the ratio does not matter: small text compresses well and harms nobody."""


def is_archive(path: Path) -> bool:
    """Whether the file is a zip archive, by its content or by its name."""
    return path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)


def unpack(archive: Path, cache: Path, limits: Limits | None = None) -> Path:
    """The folder with the archive's content: ``cache/<digest of the archive>``, made where it is not there yet.

    Two callers at once, or a crash in the middle, leave the whole folder or none.
    Raises ``ShellError`` where it is no zip archive, is damaged or encrypted, expands beyond ``limits``, or has a
    member that would land outside of the folder.
    """
    folder = cache / _digest(archive)
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    half_made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=cache))
    try:
        with _opened(archive) as opened:
            members = _checked(archive, opened, limits or Limits())
            _write(archive, opened, members, half_made)
        _rename(half_made, folder)
    finally:
        shutil.rmtree(half_made, ignore_errors=True)
    return folder


def _digest(archive: Path) -> str:
    try:
        with archive.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError as error:
        raise ShellError(archive, f"cannot be opened: {error.strerror}") from error


@contextmanager
def _opened(archive: Path) -> Iterator[ZipFile]:
    if not zipfile.is_zipfile(archive):
        raise ShellError(archive, "not a zip archive")
    try:
        with ZipFile(archive) as opened:
            yield opened
    except _UNREADABLE as error:
        raise ShellError(archive, f"the archive is damaged: {error}") from error


def _checked(archive: Path, opened: ZipFile, limits: Limits) -> list[ZipInfo]:
    """The members to write. Raises before anything was written."""
    members = opened.infolist()
    if len(members) > limits.files:
        raise ShellError(archive, f"holds {len(members)} files; at most {limits.files} are allowed")
    total = sum(member.file_size for member in members)
    if total > limits.total:
        raise ShellError(
            archive, f"expands to {_size(total)}; at most {_size(limits.total)} are allowed"
        )
    if total > limits.ratio_from and total > limits.ratio * max(1, archive.stat().st_size):
        raise ShellError(
            archive,
            f"expands to more than {limits.ratio:g} times its size, as only a zip bomb does",
        )
    for member in members:
        reason = _refused(member)
        if reason:
            raise ShellError(archive, f"member {member.orig_filename!r} {reason}")
    return members


def _refused(member: ZipInfo) -> str:
    """Why this member may not be unpacked; empty where it may."""
    name = member.orig_filename
    kind = stat.S_IFMT(member.external_attr >> 16)
    reasons = {
        "has no name": not name.strip("/"),
        "has a name with control characters": any(ord(letter) < 32 for letter in name),
        "has a backslash in its name": "\\" in name,
        "has an absolute name": name.startswith("/"),
        "names a drive": re.match(r"[A-Za-z]:", name) is not None,
        "would escape the folder": ".." in name.split("/"),
        "is a symbolic link": kind == stat.S_IFLNK,
        "is no ordinary file": kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK),
        "is encrypted": bool(member.flag_bits & 0x1),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _write(archive: Path, opened: ZipFile, members: list[ZipInfo], folder: Path) -> None:
    for member in members:
        target = folder / member.filename
        try:
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(member) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 2**20)
            if member.external_attr >> 16 & 0o111:
                target.chmod(target.stat().st_mode | 0o100)
        except OSError as error:
            raise ShellError(
                archive, f"member {member.filename!r} cannot be written: {error.strerror}"
            ) from error


def _rename(half_made: Path, folder: Path) -> None:
    half_made.chmod(0o755)
    try:
        half_made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        # somebody else was faster with the same content


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
