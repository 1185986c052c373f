"""The shapes of requests and answers that are no nouns of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from litestar.params import Parameter
from msgspec.structs import replace

from shelldock import AsyncHost
from shelldock.blueprints import Blueprint
from shelldock.model import (
    WEIGHT,
    Command,
    Connection,
    Resource,
    Role,
    SandboxDetails,
    Target,
    Token,
    User,
)
from shelldock.users import LONGEST, NAME, SHORTEST

T = TypeVar("T")

Limit = Annotated[int, Parameter(ge=1, le=1000, description="How many a page has.")]
After = Annotated[
    str, Parameter(pattern=r"^[0-9]{0,11}$", description="The `next` of the page before.")
]
Password = Annotated[str, msgspec.Meta(min_length=SHORTEST, max_length=LONGEST)]
Text = Annotated[str, msgspec.Meta(max_length=100_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a request brings."""


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """A part of a list."""

    items: list[T]
    next: str = ""
    """What to ask for as `after`; empty where there is no more."""


def page(items: Sequence[T], limit: int, after: str) -> Page[T]:
    """A part of what is all in memory."""
    begin = int(after or 0)
    more = begin + limit < len(items)
    return Page(items=list(items[begin : begin + limit]), next=str(begin + limit) if more else "")


class Login(Body):
    """Who wants a token."""

    user: Name
    password: Text
    name: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """What the token is called."""
    lifetime: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Seconds; none: until it is revoked."""


class LoggedIn(msgspec.Struct, kw_only=True):
    """A new token."""

    token: str
    """Its secret, which nobody can read again."""
    user: User
    expires: float | None = None


class NewUser(Body):
    """Somebody who shall be able to log in."""

    name: Annotated[str, msgspec.Meta(pattern=f"^(?:{NAME.pattern})$")]
    password: Password
    role: Role = "user"
    email: Text = ""


class UserChange(Body):
    """What shall be otherwise."""

    role: Role | None = None
    password: Password | None = None
    email: Text | None = None
    active: bool | None = None


class NewToken(Body):
    """Another token."""

    user: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """Whose it is; empty: one's own."""
    name: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    lifetime: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Issued(msgspec.Struct, kw_only=True):
    """A new token, and its secret, which nobody can read again."""

    token: Token
    secret: str


class NewResource(Body):
    """A root resource."""

    name: Name
    shell: Name
    address: Text = ""
    attributes: dict[str, Text] = {}
    description: Text = ""
    folder: Text = ""
    """`Lab 1/Rack 3`; it need not be there yet."""


class ResourceChange(Body):
    """What shall be otherwise."""

    address: Text | None = None
    attributes: dict[str, Text] = {}
    description: Text | None = None
    excluded: bool | None = None
    folder: Text | None = None


class ResourceDetails(msgspec.Struct, kw_only=True):
    """A resource, what is below it, and what all of it is connected to."""

    resource: Resource
    children: list[Resource]
    connections: list[Connection]


class NewConnection(Body):
    """A cable between two resources or parts of them."""

    resource: Name
    other: Name
    weight: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = WEIGHT
    replace: bool = False
    """Take away what either is connected to."""


class FolderMove(Body):
    """Where a folder shall lie, with all in it."""

    folder: Name
    to: Text
    """Its new path; empty: out of it, into no folder."""


class Folders(msgspec.Struct, kw_only=True):
    """Every folder, by path."""

    folders: list[str]


class Named(Body):
    """Which resource."""

    resource: Name


class NewExecution(Body):
    """A command to run."""

    target: Name
    command: Name
    inputs: dict[str, str] | list[str] = {}
    sandbox: str = ""
    ports: list[Text] = []
    limit: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Seconds that it may run."""
    pending: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Seconds that it may wait for its turn."""
    wait: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0
    """Seconds to wait for its end before answering."""


class Force(Body):
    """How to cancel."""

    force: bool = False


class InstanceAction(Body):
    """What to do with an instance."""

    key: Name
    reason: Text = ""


class LogLevel(Body):
    """How much an instance shall log."""

    key: Name
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class Done(msgspec.Struct, kw_only=True):
    """What came of it."""

    cancelled: int | None = None


class Cancelled(msgspec.Struct, kw_only=True):
    """Whether there was still something to cancel."""

    cancelled: bool


class NewSandbox(Body):
    """A sandbox from a blueprint."""

    blueprint: Blueprint
    name: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    duration: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Seconds; by default what the blueprint says."""


class Extension(Body):
    """When a sandbox ends: at a Unix time, or so many seconds from now; neither: by itself never."""

    ends: float | None = None
    seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Health(msgspec.Struct, kw_only=True):
    """How the server is."""

    status: str
    version: str
    since: float


class OfCommand(msgspec.Struct, kw_only=True):
    """The commands of a target, with what a form needs."""

    target: str
    shell: str
    commands: list[Command]


def without_secrets(host: AsyncHost, details: SandboxDetails) -> SandboxDetails:
    """A sandbox without the passwords of what is in it."""

    def clean(one: Target) -> Target:
        return replace(one, resource=host.inventory.masked(one.resource), sandbox=None)

    return replace(details, targets=[clean(one) for one in details.targets])
