"""One simulated switch: what all the sessions on it share, and the files that it reaches."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

from switch import IMAGE, Configuration, factory
from words import Complaint

SERVERS = ("ftp", "http", "https", "scp", "sftp", "tftp")


def served(where: str) -> bool:
    """Whether this names a file on a server."""
    return urlsplit(where).scheme in SERVERS


def local(where: str) -> str:
    """The one spelling of a file's name on the switch: ``flash:a``, ``flash://a`` are ``flash:/a``."""
    system, _, name = where.partition(":")
    return f"{system}:/{name.lstrip('/')}"


@dataclass
class Device:
    """One switch: what all its sessions share."""

    enable_password: str
    server: Path
    """The folder that stands for the root of whatever file server is named in a URL."""
    running: Configuration = field(default_factory=factory)
    startup: Configuration = field(default_factory=factory)
    image: str = IMAGE
    files: dict[str, str] = field(default_factory=lambda: {IMAGE: ""})
    sessions: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def hostname(self) -> str:
        """What the prompt starts with."""
        names = [line.split()[1] for line in self.running.lines if line.startswith("hostname ")]
        return names[0] if names else "Switch"

    def reachable(self, address: IPv4Address) -> bool:
        """Whether an echo to this address is answered: it is one of ours, and its interface is up."""
        names = [name.removeprefix("interface ") for name in self.running.sections]
        return any(
            self.running.address(name) == address and self.running.up(name) for name in names
        )

    def boot(self) -> None:
        """Start again from the startup configuration and the image that it names; ends all sessions."""
        self.running = deepcopy(self.startup)
        starts = "boot system "
        images = [local(line.split()[-1]) for line in self.running.lines if line.startswith(starts)]
        self.image = next((image for image in images if image in self.files), self.image)
        for session in self.sessions:
            session.cancel()

    def read(self, where: str) -> str:
        """The content of a configuration or file; complains where there is none."""
        own = {"running-config": self.running, "startup-config": self.startup}
        if where in own:
            return own[where].text()
        if not served(where):
            if local(where) not in self.files:
                raise Complaint(f"%Error opening {where} (No such file or directory)")
            return self.files[local(where)]
        try:
            return self._served(where).read_text(encoding="utf-8")
        except OSError as error:
            raise Complaint(f"%Error opening {where} ({error.strerror})") from None

    def write(self, where: str, text: str) -> None:
        """Store content as a configuration or file; complains where it cannot."""
        if where == "running-config":
            self.running.merge(Configuration.parse(text))
        elif where == "startup-config":
            self.startup = Configuration.parse(text)
        elif not served(where):
            self.files[local(where)] = text
        else:
            try:
                self._served(where).write_text(text, encoding="utf-8")
            except OSError as error:
                raise Complaint(f"%Error opening {where} ({error.strerror})") from None

    def _served(self, url: str) -> Path:
        """Where the file server that a URL names keeps its file."""
        root = self.server.resolve()
        path = (root / urlsplit(url).path.lstrip("/")).resolve()
        if not path.is_relative_to(root):
            raise Complaint(f"%Error opening {url} (No such file or directory)")
        return path
