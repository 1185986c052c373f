"""Every error that Shelldock raises on purpose.

::

    ShelldockError
    ├── SettingsError        a setting is unknown, of a wrong type, or unreadable
    ├── NotFoundError        a thing that was named is not there
    │   ├── NoDriverError    the shell of a resource has no driver
    │   └── NoDiscoveryError its driver has no get_inventory
    ├── ConflictError        a thing is in the way of what was asked
    │   ├── CycleError       a command would wait for itself
    │   ├── ExcludedError    a resource is excluded and takes no commands
    │   ├── QueueFull        too many commands wait already
    │   ├── ReservedError    a resource is held by another sandbox
    │   ├── ClosingError     the host shuts down and takes nothing new
    │   └── HeldError        another server holds the data
    ├── LoginError           whoever asks is not known: a wrong password or token, or none
    ├── DeniedError          whoever asks may not do this
    ├── ShellError           a shell cannot be read
    ├── InputError           the inputs of a command are not what it takes
    ├── PluginError          a plugin answered what cannot be used
    ├── PythonError          no interpreter that the driver needs is on this machine
    ├── EnvironmentFailed    what the driver needs could not be resolved or installed
    ├── StartError           the driver's process could not start, or import its driver
    ├── BrokenError          the driver failed to start again and again
    ├── DriverError          the driver raised
    ├── DiscoveryFailed      a discovery came to nothing, and its resource is excluded
    ├── InstanceLost         the process ended under a command
    ├── LimitReached         a clock ran out
    ├── CancelledError       somebody cancelled it
    │   └── PendingTooLong   its turn did not come in time
    ├── UnreachableError     a server does not answer
    └── StoreError           what must survive a restart could not be read or written

Each carries its facts as attributes, so that a program need not read the message. ``code`` names the
class in JSON and never changes. The message is one line: what happened, to what, why, what to do.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

Fact = str | int | float | bool | None


class ShelldockError(Exception):
    """The root of the tree; never raised itself."""

    code: ClassVar[str] = "error"

    @property
    def facts(self) -> dict[str, Fact]:
        """What a program may want to know of it, as plain data."""
        return {name: fact for name, fact in vars(self).items() if isinstance(fact, Fact)}


class SettingsError(ShelldockError):
    """A setting is unknown, of a wrong type, or its file cannot be read."""

    code = "settings"


class NotFoundError(ShelldockError):
    """A thing that was named is not there; offers the nearest names that are."""

    code = "not-found"

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.nearest = tuple(nearest(name, known))
        offer = f"; did you mean {' or '.join(map(repr, self.nearest))}?" if self.nearest else ""
        super().__init__(f"no {kind} {name!r}{offer}{f'; {hint}' if hint else ''}")


class NoDriverError(NotFoundError):
    """The shell of a resource has no driver, so nothing can be asked of it (N4: code 129 of CloudShell)."""

    code = "no-driver"

    def __init__(self, resource: str, shell: str) -> None:
        super().__init__("driver", shell)
        self.resource = resource
        self.args = (
            f"no driver associated with resource {resource!r}: its shell {shell!r} has none",
        )


class NoDiscoveryError(NotFoundError):
    """The driver of a resource cannot discover: it has no ``get_inventory`` (N4: code 151 of CloudShell)."""

    code = "no-discovery"

    def __init__(self, resource: str, driver: str) -> None:
        super().__init__("command", "get_inventory")
        self.resource = resource
        self.driver = driver
        self.args = (
            "the selected resource driver does not contain 'GetInventory' function and is not valid for Auto Load: "
            f"{driver!r} of resource {resource!r} has no get_inventory; the resource is as it was",
        )


class ConflictError(ShelldockError):
    """A thing is in the way of what was asked: a name is taken, a shell is still in use."""

    code = "conflict"


class CycleError(ConflictError):
    """A command that a driver asked for would wait for the very command that asks; ``chain`` says how."""

    code = "cycle"

    def __init__(self, command: str, chain: Iterable[str]) -> None:
        self.chain = " → ".join(chain)
        super().__init__(
            f"{command!r} would wait for itself: {self.chain}; let the driver enqueue it instead of waiting for it"
        )


class ExcludedError(ConflictError):
    """A resource, or one that it is part of, is excluded and takes no commands but discovery (N1)."""

    code = "excluded"

    def __init__(self, resource: str) -> None:
        self.resource = resource
        root, name = shlex.quote(resource.partition("/")[0]), shlex.quote(resource)
        super().__init__(
            f"resource {resource!r} is excluded and takes no commands but discovery: include it with "
            f"`shelldock resource set {name} --include`, or run `shelldock discover {root}`"
        )


class QueueFull(ConflictError):
    """Too many commands wait for one instance already."""

    code = "queue-full"

    def __init__(self, target: str, most: int, source: str = "default") -> None:
        self.target = target
        self.most = most
        self.source = source
        super().__init__(
            f"{most} commands wait for {target!r} already, which is the limit 'instances.queue' (set by: {source}); "
            "try again when some have ended"
        )


class ReservedError(ConflictError):
    """A resource is held by another sandbox, and cannot be shared."""

    code = "reserved"

    def __init__(self, resource: str, sandbox: str, owner: str) -> None:
        self.resource = resource
        self.sandbox = sandbox
        self.owner = owner
        super().__init__(
            f"resource {resource!r} is held by sandbox {sandbox!r} of {owner!r}; end that, take another resource, or "
            "let both share it"
        )


class ClosingError(ConflictError):
    """The host shuts down: what runs may end, nothing new is taken."""

    code = "closing"

    def __init__(self) -> None:
        super().__init__("the host shuts down and takes nothing new; ask again when it is back")


class HeldError(ConflictError):
    """Another server holds the data: which process, and since when (Unix time)."""

    code = "held"

    def __init__(self, place: str, pid: int, since: float, said: str) -> None:
        self.place = place
        self.pid = pid
        self.since = since
        super().__init__(
            f"the data in {place!r} are held by another server: {said}; stop that one, or use another SHELLDOCK_HOME"
        )


class LoginError(ShelldockError):
    """Whoever asks is not known: a wrong password or token, one that was revoked or has expired, or none at all."""

    code = "login"


class DeniedError(ShelldockError):
    """Whoever asks is known, and may not do this."""

    code = "denied"

    def __init__(self, user: str, what: str, hint: str = "") -> None:
        self.user = user
        super().__init__(f"user {user!r} may not {what}{f'; {hint}' if hint else ''}")


class ShellError(ShelldockError):
    """A shell cannot be read; ``line`` and ``column`` count from 1 and are 0 where they are not known."""

    code = "shell"

    def __init__(self, path: object, reason: str, line: int = 0, column: int = 0) -> None:
        self.path = str(path)
        self.reason = reason
        self.line = line
        self.column = column
        super().__init__(f"cannot read shell {self.path!r}: {reason}")


class InputError(ShelldockError):
    """The inputs of a command are not what it takes."""

    code = "input"


class PluginError(ShelldockError):
    """A plugin answered a hook with something that cannot be used, or raised."""

    code = "plugin"


class PythonError(ShelldockError):
    """No interpreter that the driver needs is on this machine."""

    code = "python"


class EnvironmentFailed(ShelldockError):
    """What the driver needs could not be resolved or installed; ``reason`` is the installer's own words."""

    code = "environment"

    def __init__(self, name: str, step: str, reason: str, log: str = "") -> None:
        self.name = name
        self.step = step
        self.reason = reason
        self.log = log
        where = f" (log: {log})" if log else ""
        super().__init__(f"cannot {step} the environment of {name!r}: {reason}{where}")


class StartError(ShelldockError):
    """The driver's process could not start or could not import its driver; ``trace`` is for the log."""

    code = "start"

    def __init__(self, message: str, trace: str = "") -> None:
        self.trace = trace
        super().__init__(message)


class BrokenError(ShelldockError):
    """The driver failed to start so often in a row that it is not tried any more; ``last`` is how."""

    code = "broken"

    def __init__(self, key: str, target: str, attempts: int, last: str) -> None:
        self.key = key
        self.target = target
        self.attempts = attempts
        self.last = last
        super().__init__(
            f"the driver of {target!r} failed to start {attempts} times in a row, last: {last}; "
            f"mend that, then: shelldock instance retry {shlex.quote(key)}"
        )


class DriverError(ShelldockError):
    """The driver raised: ``type`` and ``text`` of its exception, ``trace`` as the driver's Python wrote it."""

    code = "driver"

    def __init__(self, command: str, type: str, text: str, trace: str = "") -> None:
        self.command = command
        self.type = type
        self.text = text
        self.trace = trace
        super().__init__(
            f"{command!r} failed with {type}: {text}" if text else f"{command!r} failed with {type}"
        )


class DiscoveryFailed(ShelldockError):
    """A discovery came to nothing, and its resource is excluded (N1).

    ``cause`` is the code of the error behind it; ``type``, ``text`` and ``trace`` as the driver's Python wrote them,
    where it raised.
    """

    code = "discovery"

    def __init__(self, resource: str, cause: ShelldockError) -> None:
        self.resource = resource
        self.cause = cause.code
        self.type = str(cause.facts.get("type") or type(cause).__name__)
        self.text = str(cause.facts.get("text", cause))
        self.trace = str(cause.facts.get("trace", ""))
        said = " ".join(self.text.split()) or "none"
        name = shlex.quote(resource)
        super().__init__(
            f"Discovery failed for resource {resource!r}: 'get_inventory' command failed with {self.type!r} error. "
            f"Description: {said.rstrip('.')}. The resource is now excluded: mend the cause and run "
            f"`shelldock discover {name}`, or include it as it is with `shelldock resource set {name} --include`"
        )


class InstanceLost(ShelldockError):
    """The driver's process ended under a command, or was ended."""

    code = "lost"


class LimitReached(ShelldockError):
    """A clock ran out: which one, its value in seconds, and where it was set."""

    code = "limit"

    def __init__(self, clock: str, seconds: float, what: str, source: str = "default") -> None:
        self.clock = clock
        self.seconds = seconds
        self.source = source
        super().__init__(
            f"{what} took longer than the limit '{clock}' of {seconds:g} s (set by: {source})"
        )


class CancelledError(ShelldockError):
    """Somebody cancelled it; the driver may have returned ``result`` all the same."""

    code = "cancelled"

    def __init__(self, message: str, result: str | None = None) -> None:
        self.result = result
        super().__init__(message)


class PendingTooLong(CancelledError):
    """Its turn did not come within the limit ``pending``: what it waited for, the limit and where that was set."""

    code = "pending"

    def __init__(self, command: str, seconds: float, reason: str, source: str = "default") -> None:
        self.clock = "pending"
        self.seconds = seconds
        self.source = source
        super().__init__(
            f"{command!r} was cancelled: its turn did not come within the limit 'pending' of {seconds:g} s "
            f"(set by: {source}), as {reason}"
        )


class UnreachableError(ShelldockError):
    """A server does not answer, or not as one of ours does; ``url`` is where it was asked."""

    code = "unreachable"

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(f"cannot reach the server {url!r}: {reason}")


class StoreError(ShelldockError):
    """What must survive a restart could not be read or written."""

    code = "store"


def revive(code: str, message: str, facts: dict[str, Fact]) -> ShelldockError:
    """The error that was once turned into its ``code``, message and ``facts``, perhaps on another machine."""
    kind = next((one for one in _family(ShelldockError) if one.code == code), ShelldockError)
    error = kind.__new__(kind, message)
    error.args = (message,)
    vars(error).update(facts)
    return error


def _family(root: type[ShelldockError]) -> Iterable[type[ShelldockError]]:
    for child in root.__subclasses__():
        yield child
        yield from _family(child)


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The up to three known names that look most like ``name``, whatever the case."""
    folded = {one.casefold(): one for one in known}
    return [folded[one] for one in get_close_matches(name.casefold(), folded, n=3)]
