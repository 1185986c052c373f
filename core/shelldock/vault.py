"""Passwords, unreadable at rest and in contexts until a driver asks for them."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shelldock.errors import StoreError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

EMPTY: Final = "3M3u7nkDzxWb0aJ/IZYeWw=="
"""How CloudShell writes an encrypted empty password; shells bring it along as a default."""

_BYTES: Final = 32

log = logging.getLogger(__name__)


class Vault:
    """Turns clear text into encrypted text and back.

    ``decrypt(encrypt(text)) == text`` for every text, also for one that merely looks encrypted. An empty text
    stays empty, so that a driver can still see that no password was given.

    :param key: 32 random bytes, URL-safe base64. Raises ``StoreError`` where it is no such key.
    """

    def __init__(self, key: bytes) -> None:
        if not _is_key(key):
            raise StoreError(
                f"not a key for passwords: expected {_BYTES} bytes, URL-safe base64-encoded"
            )
        self._key = key

    @classmethod
    def load(cls, key_file: Path) -> Vault:
        """The vault whose key is in ``key_file``, which is made if it is not there, for its owner only.

        Processes that make it at the same time end up with the same key. Raises ``StoreError`` where it can be
        neither read nor made, or holds no key.
        """
        try:
            key = _read(key_file) or _make(key_file)
        except OSError as error:
            raise StoreError(
                f"cannot use the key file '{key_file}': {error.strerror or error}"
            ) from error
        try:
            return cls(key)
        except StoreError as error:
            raise StoreError(
                f"the key file '{key_file}' is damaged ({error}); restore it, or remove it and set the passwords anew"
            ) from None

    @classmethod
    def ephemeral(cls) -> Vault:
        """A vault whose key is known to this process only and gone with it."""
        return cls(_new_key())

    def encrypt(self, text: str) -> str:
        """``text``, encrypted; unchanged where it is empty or this vault encrypted it before."""
        if not text or self.is_encrypted(text):
            return text
        return self._fernet.encrypt(text.encode("utf-8", "surrogatepass")).decode("ascii")

    def decrypt(self, text: str) -> str:
        """The clear text.

        ``text`` itself where no vault encrypted it, or where one with another key did: then the log says so.
        """
        if text == EMPTY:
            return ""
        clear = self._open(text)
        if clear is not None:
            return clear
        if _looks_encrypted(text):
            log.warning(
                "a password was encrypted with another key and cannot be read: set it anew, or bring back the key file"
            )
        return text

    def digest(self, data: bytes) -> str:
        """Knows ``data`` again, and tells nobody without the key what they are: HMAC with SHA-256, in hexadecimal."""
        return hmac.new(self._key, data, hashlib.sha256).hexdigest()

    def is_encrypted(self, text: str) -> bool:
        """Whether ``decrypt`` would answer another text: this vault encrypted it, or it is CloudShell's empty one."""
        return text == EMPTY or self._open(text) is not None

    @cached_property
    def _fernet(self) -> Fernet:
        from cryptography.fernet import Fernet  # most commands come without a password

        return Fernet(self._key)

    def _open(self, text: str) -> str | None:
        if not _looks_encrypted(text):
            return None
        from cryptography.fernet import InvalidToken  # as for _fernet

        try:
            return self._fernet.decrypt(text).decode("utf-8", "surrogatepass")
        except (InvalidToken, UnicodeDecodeError):
            return None


def _is_key(key: bytes) -> bool:
    try:
        return len(urlsafe_b64decode(key)) == _BYTES
    except ValueError:
        return False


def _new_key() -> bytes:
    return urlsafe_b64encode(os.urandom(_BYTES))


def _looks_encrypted(text: str) -> bool:
    """Whether ``text`` has the shape of a Fernet token: version 0x80, time, IV, blocks, 32 bytes of HMAC."""
    if not text.startswith("gAAAA") or not text.isascii():
        return False
    try:
        raw = urlsafe_b64decode(text)
    except ValueError:
        return False
    return len(raw) >= 73 and (len(raw) - 57) % 16 == 0


def _read(key_file: Path) -> bytes | None:
    try:
        with key_file.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(1024).strip()
    except FileNotFoundError:
        return None
    if mode & 0o077:
        # Refusing would stop hosts whose key is mounted by a container engine, which knows no narrower mode.
        log.warning("others may read the key file '%s': run chmod 600 on it", key_file)
    return key


def _make(key_file: Path) -> bytes:
    """Write a new key, or read the one that somebody else wrote first.

    Written aside (``mkstemp``: exclusively, mode 0600) and linked into place: the link fails where the file exists,
    and nobody ever sees half a key.
    """
    key_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=key_file.parent, prefix=f".{key_file.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_new_key())
            file.flush()
            os.fsync(
                file.fileno()
            )  # a key that is lost with the power takes every password with it
        with contextlib.suppress(FileExistsError):
            os.link(aside, key_file)
    finally:
        Path(aside).unlink()
    key = _read(key_file)
    if key is None:
        raise FileNotFoundError(f"'{key_file}' was removed while it was made")
    return key
