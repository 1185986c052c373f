"""Offers every shell that lies in a folder, without its being added."""

import logging
from pathlib import Path

from shelldock import hookimpl
from shelldock.model import Value

log = logging.getLogger(__name__)


class ShellFolder(Value, frozen=True, kw_only=True):
    """A team keeps its shells in one place, such as a checkout or a network drive."""

    folders: tuple[str, ...] = ()
    """Folders whose packages and project folders are shells."""

    @hookimpl
    def shelldock_shells(self) -> list[Path]:
        """All that lies there, but for hidden things: what is no shell is listed as broken."""
        return [path for folder in self.folders for path in inside(Path(folder).expanduser())]


def inside(folder: Path) -> list[Path]:
    """What a folder holds; nothing where it cannot be read, which costs the others nothing."""
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith((".", "_")))
    except OSError as error:
        log.warning("no shells from %s: %s", folder, error.strerror)
        return []
