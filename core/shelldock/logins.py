"""Where a user has logged in: servers and the tokens for them, in a file for the user only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec
from msgspec.structs import replace

from shelldock.errors import StoreError
from shelldock.model import Value
from shelldock.paths import private


class Login(Value, frozen=True, kw_only=True):
    """What a server is shown, and trusted by."""

    token: str
    user: str = ""
    certificate: str = ""
    """The file with the certificate that its TLS is checked against; empty: the system's."""


class _Saved(Value, frozen=True, kw_only=True):
    current: str = ""
    servers: dict[str, Login] = msgspec.field(default_factory=dict)


class Logins:
    """The logins that are saved in ``file``, by URL. Raises ``StoreError`` where it cannot be read or written."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def current(self) -> str:
        """The URL of the last login; empty where there is none."""
        return self._read().current

    def get(self, url: str) -> Login | None:
        """The login at a server, if there is one."""
        return self._read().servers.get(url.rstrip("/"))

    def save(self, url: str, login: Login) -> None:
        """Keep a login; its server is the current one from now on."""
        url = url.rstrip("/")
        self._write(_Saved(current=url, servers={**self._read().servers, url: login}))

    def forget(self, url: str) -> None:
        """Keep a login no longer."""
        url = url.rstrip("/")
        saved = self._read()
        kept = {one: login for one, login in saved.servers.items() if one != url}
        current = "" if saved.current == url else saved.current
        self._write(replace(saved, current=current, servers=kept))

    def _read(self) -> _Saved:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Saved)
        except FileNotFoundError:
            return _Saved()
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(
                f"cannot read the logins in {str(self._file)!r}: {error}; remove the file and log in again"
            ) from error

    def _write(self, saved: _Saved) -> None:
        """All of it or nothing, and never to be read by others (``mkstemp``: mode 0600)."""
        folder = private(self._file.parent)
        try:
            descriptor, aside = tempfile.mkstemp(dir=folder, prefix=".logins-")
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(saved)))
            Path(aside).replace(self._file)
        except OSError as error:
            raise StoreError(
                f"cannot write the logins to {str(self._file)!r}: {error.strerror or error}"
            ) from error
