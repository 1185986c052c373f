"""Connected commands: what the devices offer that a resource is connected to, such as its power switch (I14)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from shelldock.errors import NotFoundError
from shelldock.model import Command
from shelldock_compat.backend import Backend


def executors(
    backend: Backend, name: str, command: str, tag: str, ports: Sequence[str], subject: str
) -> dict[str, list[str]]:
    """The devices whose drivers have a connected command for the resource ``name``, each with its ports to it.

    :param tag: ``power``, ``remote_connectivity`` or just ``connectivity``; empty: any.
    :param ports: those of the resource that are meant; none: all that are connected.

    Raises ``NotFoundError`` where there is no such device.
    """
    meant = {backend.resource(one, subject).name for one in ports}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for port, (other, _) in backend.connections(name, subject).items():
        if (not meant or port in meant) and _offers(backend, other.root, command, tag, subject):
            found[other.root].append(other.name)
    if not found:
        wanted = f" with the tag {tag!r}" if tag else ""
        raise NotFoundError(
            "connected command",
            command,
            hint=f"nothing that {name!r} is connected to has it{wanted}",
        )
    return dict(found)


def _offers(backend: Backend, device: str, name: str, tag: str, subject: str) -> bool:
    shell = backend.shell_of(backend.resource(device, subject), subject)
    command = shell.driver.command(name) if shell and shell.driver else None
    return command is not None and _is_meant(command, tag)


def _is_meant(command: Command, tag: str) -> bool:
    if not tag:
        return any(one == "power" or one.startswith("remote_") for one in command.tags)
    return tag in command.tags or f"remote_{tag}" in command.tags
