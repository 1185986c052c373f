"""The nouns, as frozen values that can cross a process or a machine as they are."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self, TypedDict

import msgspec

from shelldock.errors import Fact, ShelldockError, ShellError, revive

NO_LIMIT: Final = math.inf
"""The answer "no limit" (concurrency) and "never" (idle), where a number is asked for."""

Kind = Literal["resource", "app", "service"]


class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every noun is: immutable, compared by its fields, writable as JSON.

    None can be part of what it refers to, so the garbage collector is spared to look at them.
    """


class Limit(Value, frozen=True, kw_only=True):
    """How long something may take, and who says so."""

    seconds: float = NO_LIMIT
    source: str = "default"
    """Where it was set: ``default``, ``call``, a file's path or a variable's name."""

    @property
    def told(self) -> Limit | None:
        """The same where there is one; None, as JSON knows no infinity."""
        return self if self.seconds < NO_LIMIT else None


# ---- what a shell declares ----------------------------------------------------------------------


class Parameter(Value, frozen=True, kw_only=True):
    """One input of a command, as ``drivermetadata.xml`` declares it or as the method's signature has it."""

    name: str
    label: str = ""
    description: str = ""
    mandatory: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    declared: bool = True
    """False when only the method's signature names it (``request``, ``ports`` and the like)."""


class Command(Value, frozen=True, kw_only=True):
    """One command of a driver. ``name`` is the method's; callers use it, whatever the label."""

    name: str
    label: str = ""
    description: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    cancellable: bool = False
    admin_only: bool = False
    hidden: bool = False
    declared: bool = True
    """False when the class has the method and the metadata do not list it."""
    parameters: tuple[Parameter, ...] = ()
    takes_any: bool = False
    """The method has ``**kwargs``: inputs of other names are passed on to it."""


AttributeType = Literal["string", "integer", "float", "boolean", "password", "list"]


class Attribute(Value, frozen=True, kw_only=True):
    """One attribute of a shell's elements; ``name`` is the full one that drivers see (``Model.User``)."""

    name: str
    type: AttributeType = "string"
    default: str = ""
    description: str = ""
    choices: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


# It has a dictionary for what it looks up once, and so is left to the garbage collector: msgspec wants both or neither.
class Driver(Value, frozen=True, kw_only=True, gc=True, dict=True):
    """The code of a shell: where it is, how to import it, and what it needs."""

    name: str
    version: str = "1.0.0"
    main_class: str
    """``module.Class``, imported from ``source``."""
    source: Path
    """The folder that is the import root; ``requirements.txt`` lies here."""
    digest: str
    """SHA-256 over the names and contents of ``source``: another digest is another driver."""
    python: str | None = None
    """What the metadata ask for: ``"3"``, ``"2"``, or None where they are silent (then: Python 2)."""
    requirements: tuple[str, ...] | None = None
    """Requirement lines in place of ``requirements.txt``, for shells that keep them elsewhere."""
    tools: tuple[str, ...] = ()
    """Requirements of whoever runs it, beside the driver's own: a debugger."""
    commands: tuple[Command, ...] = ()
    complete: bool = True
    """False when the class could not be read, so that methods may exist that ``commands`` lacks."""
    note: str = ""
    """Why it could not."""

    def command(self, name: str) -> Command | None:
        """The command called ``name``, or None."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Command]:
        return {one.name: one for one in reversed(self.commands)}


class Discovery(Value, frozen=True, kw_only=True):
    """What the auto-discovery capability says: whether it is offered, and the attributes to ask for first."""

    enabled: bool = True
    asks: tuple[str, ...] = ()
    hides_address: bool = False


class Shell(Value, frozen=True, kw_only=True):
    """An installable description of a kind of element."""

    name: str
    version: str = ""
    author: str = ""
    description: str = ""
    generation: Literal[1, 2] = 2
    kind: Kind = "resource"
    model: str = ""
    family: str = ""
    attributes: tuple[Attribute, ...] = ()
    driver: Driver | None = None
    concurrent: bool = False
    drops_attributes: bool = False
    """An update to it may lack attributes that were there: it has the capability ``DeprecateProperties``."""
    discovery: Discovery | None = None
    path: Path
    """The folder or file that it was read from."""
    origin: str = ""
    """Where the catalog has it from, for people; empty where it is not in the catalog."""

    def attribute(self, name: str) -> Attribute | None:
        """The attribute with this full name, or with this short one (``User`` for ``Model.User``)."""
        folded = name.casefold()
        by_name = {one.name.casefold(): one for one in self.attributes}
        exact = by_name.get(folded) or by_name.get(f"{self.model.casefold()}.{folded}")
        return exact or next(
            (one for key, one in by_name.items() if key.endswith("." + folded)), None
        )


# ---- what is wrong with a shell ------------------------------------------------------------------

Severity = Literal["error", "warning", "note"]
"""``error``: something fails when it is run. ``warning``: it may, or surprises. ``note``: good to know."""


class Finding(Value, frozen=True, kw_only=True):
    """One thing that a check found in a shell (L3)."""

    path: Path
    """The file or folder."""
    line: int = 0
    column: int = 0
    """Both count from 1; 0 where the whole file is meant."""
    rule: str
    """A short name that stays, such as ``missing-method``."""
    severity: Severity
    message: str
    """One line: what, why it matters, and what to do."""

    @classmethod
    def of(cls, error: ShellError) -> Self:
        """That a shell cannot be read at all."""
        return cls(
            path=Path(error.path),
            line=error.line,
            column=error.column,
            rule="unreadable",
            severity="error",
            message=f"{error.reason}; nothing of this shell can be used until that is mended",
        )


# ---- who a command is for -----------------------------------------------------------------------


class Resource(Value, frozen=True, kw_only=True):
    """One element of the inventory or of a sandbox; a sub-resource has its parents in its name."""

    name: str
    """The full name: ``sw1``, or ``sw1/Chassis 1/P3``."""
    id: str = ""
    shell: str = ""
    model: str = ""
    family: str = ""
    address: str = ""
    description: str = ""
    folder: str = ""
    """Where a root resource lies: ``Lab 1/Rack 3``; empty: in none, and for sub-resources."""
    attributes: dict[str, str] = {}
    """By full name; values of password attributes are encrypted."""
    unique_identifier: str = ""
    excluded: bool = False
    status: str = ""
    """The live status that drivers set: Online, Offline, Error, Progress 30 …"""
    status_text: str = ""
    app_request: str = ""
    """JSON that describes the app this was deployed from; empty otherwise."""
    deployed_app: str = ""
    """JSON that describes the deployed app or static VM; empty otherwise."""

    @property
    def root(self) -> str:
        """The full name of the root resource that this belongs to (its own, for a root)."""
        return self.name.partition("/")[0]

    @property
    def path(self) -> str:
        """What CloudShell calls the full path of a root resource: its folder and its name."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


WEIGHT: Final = 10
"""That of a connection for which nobody says one."""


class Connection(Value, frozen=True, kw_only=True):
    """A cable between two elements of the inventory, seen from one of them; each has one at most."""

    resource: str
    other: str
    """Both by full name."""
    weight: int = WEIGHT
    """What it costs to go this way."""


SandboxState = Literal["active", "ending", "ended"]


class Sandbox(Value, frozen=True, kw_only=True):
    """Resources, apps and services in use together."""

    id: str
    name: str = ""
    blueprint: str = ""
    domain: str = "Global"
    description: str = ""
    owner: str = "admin"
    owner_email: str = ""
    state: SandboxState = "active"
    started: float = 0.0
    ends: float | None = None
    """When it ends by itself; None: when somebody ends it."""
    ended: float | None = None
    """Unix times."""
    reason: str = ""
    """Why it ended."""


class Hold(Value, frozen=True, kw_only=True):
    """A resource of the inventory that a sandbox uses."""

    resource: str
    """The full name of a root resource."""
    shared: bool = False
    """Whether other sandboxes may use it, too, as long as they share it as well (D6)."""


class Target(Value, frozen=True, kw_only=True):
    """What a command is for: a resource, a deployed app or a service, and the sandbox it is used in."""

    kind: Kind = "resource"
    resource: Resource
    """The element whose driver answers."""
    sandbox: Sandbox | None = None
    stored: bool = False
    """Whether the resource is one of the inventory's, which knows how it is now."""

    @property
    def name(self) -> str:
        """The full name of the element."""
        return self.resource.name


class SandboxDetails(Value, frozen=True, kw_only=True):
    """A sandbox and what is in it."""

    sandbox: Sandbox
    targets: list[Target] = []
    """Apps and services, and the resources that were used."""
    holds: list[Hold] = []


class Connectivity(Value, frozen=True, kw_only=True):
    """Where a driver finds the API, and the token that says on whose behalf it calls."""

    address: str = ""
    api_port: int = 8029
    rest_port: int = 9000
    scheme: str = "http"
    token: str = ""


class Call(Value, frozen=True, kw_only=True):
    """One command on its way to an instance: all that a node, on whichever machine, needs to know."""

    execution: str
    target: Target
    command: str
    tags: tuple[str, ...] = ()
    """Those of the command, which decide the kind of context."""
    inputs: dict[str, str] = {}
    ports: tuple[str, ...] = ()
    endpoints: tuple[Resource, ...] = ()
    """The resources on the other side of a connected command, aligned with ``ports``."""
    connectivity: Connectivity = Connectivity()
    context: dict[str, object] = {}
    """What the driver gets as ``context``: plain data, classes named by ``$class``."""
    chain: tuple[str, ...] = ()
    """The scopes that wait for this call, outermost first."""
    limit: Limit = Limit()
    """How long the command may run."""
    pending: Limit = Limit()
    """How long it may wait for its turn (Q4)."""
    origin: str = ""
    """The node whose host asks: it is told when the command starts, and knows the target when that has waited."""
    prints: bool = True
    """What it returns goes to the output of its sandbox, too (R5)."""


# ---- what runs it -------------------------------------------------------------------------------


class Interpreter(Value, frozen=True, kw_only=True):
    """A Python of this machine that a driver may run on."""

    path: Path
    """Where it really is: no link, and never inside of a virtual environment."""
    version: str
    """``3.11.7``"""
    why: str = ""
    """Why a driver gets this one, in words that go on a line after its version."""

    @property
    def minor(self) -> str:
        """``3.11``"""
        return ".".join(self.version.split(".")[:2])

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version, for comparing."""
        return tuple(map(int, self.version.split(".")))


class Needs(Value, frozen=True, kw_only=True):
    """Exactly resolved requirements + interpreter; equal needs share one environment."""

    python: str
    """Path of the interpreter."""
    version: str
    """Its full version, ``3.11.7``."""
    pins: tuple[str, ...] = ()
    """``name==version`` (or ``name @ url``), one a distribution, sorted."""
    options: tuple[str, ...] = ()
    """What the installer must be told to find the pins again: index options of the requirements file."""


EnvironmentState = Literal["resolving", "building", "ready", "failed", "removed"]


class Environment(Value, frozen=True, kw_only=True):
    """A virtual environment made from needs, or on its way to become one."""

    name: str
    """Folder name: driver's name and version, and a short digest of the needs."""
    digest: str = ""
    path: Path
    python: Path
    """The environment's own interpreter."""
    version: str = ""
    pins: tuple[str, ...] = ()
    state: EnvironmentState = "ready"
    note: str = ""
    """The last line of the builder while it works, or the reason of a failure."""
    built: float = 0.0
    """Unix time."""
    used: float = 0.0
    """Unix time of the last start of an instance."""


InstanceState = Literal["starting", "initializing", "ready", "busy", "stopping", "gone", "broken"]
"""``broken``: it failed to start again and again, and commands are refused until somebody has it retried."""


class Instance(Value, frozen=True, kw_only=True):
    """What is known of one driver object in its own process."""

    id: str
    key: str
    """Its scope."""
    node: str
    shell: str
    version: str = ""
    target: str
    """The name of the element it was started for."""
    state: InstanceState
    pid: int = 0
    started: float
    """Unix time."""
    idle_since: float | None = None
    idle_limit: float | None = None
    """Seconds; None: it is not idle, or may be for ever."""
    way: str = ""
    """How the process came about: ``forked``, or ``fresh: <reason>``."""
    environment: str = ""
    running: int = 0
    waiting: int = 0
    memory: int = 0
    """Bytes that are its own (PSS where the system tells it), 0 where unknown."""
    log: Path | None = None
    reason: str = ""
    """Why it stops or stopped: idle, shut down, updated, terminated, lost …"""


class Waiting(Value, frozen=True, kw_only=True):
    """A command that was accepted and does not run yet, and why (Q3)."""

    execution: str
    target: str
    command: str
    sandbox: str = ""
    key: str
    """The scope whose instance it waits for."""
    node: str = ""
    position: int = 0
    """1 for the next one to run; 0 where no node has it yet."""
    since: float
    """Unix time."""
    limit: Limit | None = None
    """After so long it is cancelled; None: it waits for as long as it takes."""
    state: str
    """In the words of CloudShell's queue page (§7.2)."""
    reason: str = ""
    """What it waits for, in ours."""


class Node(Value, frozen=True, kw_only=True):
    """An execution server: one machine that runs instances."""

    name: str
    labels: dict[str, str] = {}
    slots: int = 0
    """How many instances it takes; 0: no limit."""
    instances: int = 0
    """How many it has, those that are about to start among them."""


ExecutionState = Literal["accepted", "running", "completed", "failed", "cancelled", "interrupted"]


class Failure(Value, frozen=True, kw_only=True):
    """Why an execution failed: an error of ``shelldock.errors`` as plain data."""

    code: str
    """That of the error's class."""
    message: str
    facts: dict[str, Fact] = {}
    """The error's attributes; ``type``, ``text`` and ``trace`` where the driver raised."""

    @classmethod
    def of(cls, error: ShelldockError) -> Self:
        """``error`` as plain data."""
        return cls(code=error.code, message=str(error), facts=error.facts)

    def error(self) -> ShelldockError:
        """The error that this was once made of, perhaps on another machine."""
        return revive(self.code, self.message, self.facts)


class Message(Value, frozen=True, kw_only=True):
    """One entry in the output of a sandbox: what a command returned, or what its driver wrote meanwhile."""

    text: str
    at: float
    """Unix time."""
    execution: str = ""
    target: str = ""
    command: str = ""


class Outcome(Value, frozen=True, kw_only=True):
    """How a call ended: its result as text, or why there is none."""

    result: str | None = None
    failure: Failure | None = None
    instance: str = ""
    environment: str = ""


class Execution(Value, frozen=True, kw_only=True):
    """One running of a command, from acceptance to its end."""

    id: str
    target: str
    kind: Kind = "resource"
    sandbox: str = ""
    command: str
    user: str = ""
    """Who asked; empty where no user did: a program of this machine, or a driver."""
    inputs: dict[str, str] = {}
    """Those that are secret are masked."""
    state: ExecutionState = "accepted"
    accepted: float
    started: float | None = None
    ended: float | None = None
    """Unix times."""
    result: str | None = None
    failure: Failure | None = None
    messages: tuple[str, ...] = ()
    """What the driver wrote to the sandbox's output meanwhile."""
    instance: str = ""
    environment: str = ""
    chain: tuple[str, ...] = ()


class Wanted(TypedDict, total=False):
    """Which executions are meant; what is None or not there is not looked at."""

    target: str | None
    sandbox: str | None
    user: str | None
    command: str | None


class Request(Value, frozen=True, kw_only=True):
    """What makes a request for an execution known again when it comes twice."""

    key: str
    """Chosen by whoever asks."""
    digest: str
    """Of all that was asked for."""


class History(Value, frozen=True, kw_only=True):
    """One page of executions, the newest first."""

    executions: list[Execution]
    next: str = ""
    """What to ask for the page after it; empty where there is none."""


# ---- who asks -----------------------------------------------------------------------------------

Role = Literal["observer", "user", "admin"]
"""``observer``: sees. ``user``: runs commands and has sandboxes. ``admin``: whatever there is to do (D4, Q7)."""
ROLES: Final[tuple[Role, ...]] = ("observer", "user", "admin")


class User(Value, frozen=True, kw_only=True):
    """Somebody who may log in."""

    name: str
    role: Role = "user"
    email: str = ""
    active: bool = True
    created: float = 0.0
    """Unix time."""


class Token(Value, frozen=True, kw_only=True):
    """What a program shows in place of a user's password. The secret itself is shown once and kept nowhere."""

    id: str
    user: str
    name: str = ""
    """What its user calls it."""
    created: float
    expires: float | None = None
    used: float | None = None
    """Unix times."""


class Audit(Value, frozen=True, kw_only=True):
    """One change that somebody made, or tried to make."""

    id: int = 0
    at: float
    """Unix time."""
    user: str
    address: str = ""
    """Where the request came from."""
    action: str
    """A verb and a noun: ``create resource``."""
    object: str = ""
    """The name of what it was done to."""
    outcome: str = "done"
    """``done``, or the code of the error."""
    detail: str = ""
