"""The hosts of this user that are open, in whatever process, as others see them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, TypeVar, Unpack

import msgspec

from shelldock.control import SUFFIX, Reach, Reply
from shelldock.errors import StoreError
from shelldock.model import Execution, Instance, Resource, Value, Waiting, Wanted
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

    def instances(self) -> list[Instance]:
        """Every live instance."""
        return self.ask(list[Instance], "instances")

    def queue(self) -> list[Waiting]:
        """Every command that was accepted and does not run yet, and why."""
        return self.ask(list[Waiting], "queue")

    def executions(
        self, *, ended: bool = False, limit: int = 100, **wanted: Unpack[Wanted]
    ) -> list[Execution]:
        """What waits or runs, oldest first; with ``ended`` the newest ``limit``, also of what has ended."""
        known = [
            one
            for one in self.ask(list[Execution], "executions")
            if all(value in (None, getattr(one, name)) for name, value in wanted.items())
        ]
        return known[-limit:] if ended else [one for one in known if one.ended is None]

    def affected(self, key: str) -> list[Execution]:
        """What runs on the instance for a scope, and waits for it."""
        return self.ask(list[Execution], "affected", key)

    def cancel(self, execution: str, *, force: bool = False) -> bool:
        """Cancel an execution; False if it has ended already."""
        return self.ask(bool, "cancel", execution, force)

    def stop(self, key: str, reason: str) -> None:
        """Stop the instance for a scope, with its ``cleanup``."""
        self.ask(type(None), "stop", key, reason)

    def terminate(self, key: str, reason: str) -> None:
        """End the instance for a scope at once."""
        self.ask(type(None), "terminate", key, reason)

    def reset(self, key: str, reason: str) -> None:
        """Cancel all that runs on, or waits for, the instance for a scope, and stop it."""
        self.ask(type(None), "reset", key, reason)

    def cancel_all(self, key: str) -> int:
        """Cancel all that runs on, or waits for, the instance for a scope, which stays. How many that were."""
        return self.ask(int, "cancel_all", key)

    def retry(self, key: str) -> None:
        """Let a driver that failed to start again and again be tried at once, with the next command."""
        self.ask(type(None), "retry", key)

    def set_log_level(self, key: str, level: str) -> None:
        """Let the running instance for a scope log from ``level`` on."""
        self.ask(type(None), "set_log_level", key, level)

    def remove(self, name: str) -> list[Resource]:
        """Remove a resource and all below it; returns what is gone."""
        return self.ask(list[Resource], "remove", name)


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
