"""Finds, among the hosts that are open, what a command line names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from shelldock.cli.session import paths
from shelldock.errors import InputError, NotFoundError
from shelldock.model import Execution, Instance, Waiting
from shelldock.remote import Remote, hosts

T = TypeVar("T")


class Found(NamedTuple):
    """A scope, and the host that has it."""

    host: Remote
    key: str
    instance: Instance | None
    """None where something waits for an instance that is not there yet."""


def everywhere(type: type[T], verb: str) -> list[tuple[Remote, T]]:
    """What each host answers to ``verb``."""
    return [(host, host.ask(type, verb)) for host in hosts(paths())]


def find(name: str) -> Found:
    """The one scope that is meant by a key, a target's name, or an instance's id.

    Raises ``NotFoundError`` with those that there are, and ``InputError`` where several are meant.
    """
    there = list(_scopes())
    meant = {(found.host, found.key): found for found, names in there if name in names}
    if len(meant) > 1:
        keys = ", ".join(sorted(repr(key) for _, key in meant))
        raise InputError(f"{name!r} may be any of {keys}; name one of these")
    if not meant:
        known = [one for _, names in there for one in names]
        hint = "" if there else "no host that is open has any; see 'shelldock ps'"
        raise NotFoundError("instance", name, known, hint)
    return next(iter(meant.values()))


def execution(id: str) -> tuple[Remote, Execution]:
    """The execution with this id, and its host. Raises ``NotFoundError``."""
    known = [
        (host, one) for host, all_ in everywhere(list[Execution], "executions") for one in all_
    ]
    for host, one in known:
        if one.id == id:
            return host, one
    raise NotFoundError("execution", id, [one.id for _, one in known], "see 'shelldock executions'")


def _scopes() -> Iterator[tuple[Found, set[str]]]:
    for host, instances in everywhere(list[Instance], "instances"):
        for one in instances:
            yield Found(host, one.key, one), {one.key, one.target, one.id} - {""}
        for waiting in host.ask(list[Waiting], "queue"):
            if waiting.key not in {one.key for one in instances}:
                yield Found(host, waiting.key, None), {waiting.key, waiting.target}
