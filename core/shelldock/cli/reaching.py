"""Finds, at a server or among the hosts that are open, what a command line names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol, Unpack

import typer

from shelldock.cli.servers import named
from shelldock.cli.session import paths
from shelldock.errors import InputError, NotFoundError
from shelldock.model import Execution, Instance, Waiting, Wanted
from shelldock.remote import hosts


class Peer(Protocol):
    """What has instances: a server, or a host of another process of this user."""

    def instances(self) -> list[Instance]:
        """Every live instance."""
        ...

    def queue(self) -> list[Waiting]:
        """Every command that was accepted and does not run yet, and why."""
        ...

    def executions(
        self, *, ended: bool = False, limit: int = 100, **wanted: Unpack[Wanted]
    ) -> list[Execution]:
        """What waits or runs, oldest first; with ``ended`` the newest ``limit``, also of what has ended."""
        ...

    def affected(self, key: str) -> list[Execution]:
        """What runs on the instance for a scope, and waits for it."""
        ...

    def cancel(self, execution: str, *, force: bool = False) -> bool:
        """Cancel an execution; False if it has ended already."""
        ...

    def stop(self, key: str, reason: str) -> None:
        """Stop the instance for a scope, with its ``cleanup``."""
        ...

    def terminate(self, key: str, reason: str) -> None:
        """End the instance for a scope at once."""
        ...

    def reset(self, key: str, reason: str) -> None:
        """Cancel all that runs on, or waits for, the instance for a scope, and stop it."""
        ...

    def cancel_all(self, key: str) -> int:
        """Cancel all that runs on, or waits for, the instance for a scope, which stays. How many that were."""
        ...

    def retry(self, key: str) -> None:
        """Let a driver that failed to start again and again be tried at once, with the next command."""
        ...

    def set_log_level(self, key: str, level: str) -> None:
        """Let the running instance for a scope log from ``level`` on."""
        ...


class Found(NamedTuple):
    """A scope, and who has it."""

    host: Peer
    key: str
    instance: Instance | None
    """None where something waits for an instance that is not there yet."""


@contextmanager
def peers(context: typer.Context) -> Iterator[Sequence[Peer]]:
    """The server that is named, or else all hosts of this user that are open on this machine."""
    with named(context) as client:
        yield [client] if client is not None else hosts(paths())


@contextmanager
def find(context: typer.Context, name: str) -> Iterator[Found]:
    """The one scope that is meant by a key, a target's name, or an instance's id.

    Raises ``NotFoundError`` with those that there are, and ``InputError`` where several are meant.
    """
    with peers(context) as asked:
        there = list(_scopes(asked))
        meant = {(id(found.host), found.key): found for found, names in there if name in names}
        if len(meant) > 1:
            keys = ", ".join(sorted(repr(key) for _, key in meant))
            raise InputError(f"{name!r} may be any of {keys}; name one of these")
        if not meant:
            known = [one for _, names in there for one in names]
            hint = "" if there else "no host that is open has any; see 'shelldock ps'"
            raise NotFoundError("instance", name, known, hint)
        yield next(iter(meant.values()))


def has_execution(asked: Iterable[Peer], id: str) -> Peer:
    """Who has the execution with this id. Raises ``NotFoundError``."""
    known = [(peer, one.id) for peer in asked for one in peer.executions(ended=True)]
    for peer, one in known:
        if one == id:
            return peer
    raise NotFoundError("execution", id, [one for _, one in known], "see 'shelldock executions'")


def _scopes(asked: Iterable[Peer]) -> Iterator[tuple[Found, set[str]]]:
    for peer in asked:
        instances = peer.instances()
        for one in instances:
            yield Found(peer, one.key, one), {one.key, one.target, one.id} - {""}
        for waiting in peer.queue():
            if waiting.key not in {one.key for one in instances}:
                yield Found(peer, waiting.key, None), {waiting.key, waiting.target}
