"""Places on disk: where Shelldock keeps what it has, and who may look into them (its user only)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import platformdirs

from shelldock.errors import StoreError
from shelldock.model import Value

HOME = "SHELLDOCK_HOME"
"""The variable that puts all folders below one."""


class Paths(Value, frozen=True, kw_only=True):
    """The five folders that everything lies in; each property makes its folder when first asked (mode 0700).

    Properties raise ``StoreError`` where a folder cannot be made.
    """

    config: Path
    """What the user writes."""
    data: Path
    """What must survive: shells, environments, the store."""
    cache: Path
    """What may be thrown away whenever nothing runs."""
    state: Path
    """What instances leave behind: logs, working folders."""
    runtime: Path
    """What is of use only while something runs, such as sockets; a short path."""

    @classmethod
    def default(cls, environ: Mapping[str, str]) -> Self:
        """The platform's folders for this user, or all below ``SHELLDOCK_HOME`` where that is set."""
        if environ.get(HOME):
            return cls.below(Path(environ[HOME]).expanduser().absolute())
        places = platformdirs.PlatformDirs("shelldock", appauthor=False)
        session = environ.get("XDG_RUNTIME_DIR")
        return cls(
            config=places.user_config_path,
            data=places.user_data_path,
            cache=places.user_cache_path,
            state=places.user_state_path,
            # platformdirs would fall back to a folder below /tmp that anybody could have made before us
            runtime=Path(session) / "shelldock" if session else places.user_state_path / "run",
        )

    @classmethod
    def below(cls, home: Path) -> Self:
        """Everything below one folder."""
        return cls(
            config=home,
            data=home / "data",
            cache=home / "cache",
            state=home / "state",
            runtime=home / "run",
        )

    @property
    def settings(self) -> Path:
        """The settings file; it need not exist."""
        return self.config / "settings.toml"

    @property
    def logins(self) -> Path:
        """File of the logins at servers that were saved; it need not exist."""
        return self.config / "logins.json"

    @property
    def shells(self) -> Path:
        """Folder of the shells that were added."""
        return private(self.data / "shells")

    @property
    def environments(self) -> Path:
        """Folder of the virtual environments. Not in the cache: instances run from them."""
        return private(self.data / "environments")

    @property
    def store(self) -> Path:
        """File of the default store."""
        return private(self.data) / "shelldock.db"

    @property
    def key(self) -> Path:
        """File of the key that passwords at rest are encrypted with."""
        return private(self.data) / "key"

    @property
    def resolutions(self) -> Path:
        """Folder of what requirements resolved to, and when."""
        return private(self.cache / "resolutions")

    @property
    def instances(self) -> Path:
        """Folder of the instances' working folders."""
        return private(self.state / "instances")

    @property
    def logs(self) -> Path:
        """Folder of the logs."""
        return private(self.state / "logs")


def private(folder: Path) -> Path:
    """``folder``, made with mode 0700 (its parents too) unless it is there."""
    try:
        if not folder.is_dir():
            _make(folder)
    except OSError as error:
        raise StoreError(
            f"cannot make folder {str(folder)!r}: {(error.strerror or str(error)).lower()}; "
            f"set {HOME} to a folder that you may write to"
        ) from error
    return folder


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
