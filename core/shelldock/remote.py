"""The hosts of this user that are open, in whatever process, as others see them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from shelldock.control import SUFFIX, Reach, Reply
from shelldock.errors import StoreError
from shelldock.model import Value
from shelldock.paths import Paths

T = TypeVar("T")


class HostInfo(Value, frozen=True, kw_only=True):
    """Which process a host lives in."""

    pid: int
    program: str
    """Its command line."""
    since: float
    """Unix time."""


class ServerLogin(Value, frozen=True, kw_only=True):
    """Where a server of this user is reached, and a token that is good for as long as it runs."""

    url: str
    token: str
    certificate: str = ""
    """The file of its certificate; empty where it does not speak TLS."""


class Remote:
    """One host of another process, reached over its socket (see ``shelldock.control``)."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def ask(self, type: type[T], verb: str, *arguments: object) -> T:
        """What the host answers to ``verb``, as ``type``.

        Raises what the host raised, ``OSError`` where nobody listens any more, and ``StoreError`` for what is no
        answer.
        """
        with Reach(self._place) as path, socket.socket(socket.AF_UNIX) as line:
            line.connect(path)
            line.sendall(msgspec.msgpack.encode([verb, *arguments]))
            line.shutdown(socket.SHUT_WR)
            heard = b"".join(iter(lambda: line.recv(65536), b""))
        try:
            reply = msgspec.msgpack.decode(heard, type=Reply)
            if reply.failure is None:
                return msgspec.convert(reply.answer, type, dec_hook=_made)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise StoreError(
                f"the host behind {str(self._place)!r} does not answer as this version does: {error}"
            ) from error
        raise reply.failure.error()


def hosts(paths: Paths) -> list[Remote]:
    """The hosts that are open now and use these places, the oldest first; what dead ones left is removed."""
    found = []
    for place in paths.runtime.glob(f"*{SUFFIX}"):
        try:
            remote = Remote(place)
            found.append((remote.ask(HostInfo, "info").since, place.name, remote))
        except (
            ConnectionRefusedError
        ):  # its process is dead: a live one listens for as long as its socket is there
            place.unlink(missing_ok=True)
        except FileNotFoundError:  # it has just ended
            continue
    return [remote for _, _, remote in sorted(found, key=lambda one: one[:2])]


def _made(type: Any, data: object) -> object:
    return type(data)
