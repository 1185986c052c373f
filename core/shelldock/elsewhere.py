"""What a server keeps, in the shapes in which this machine has its own: inventory, shells, users, audit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from shelldock.catalog import Broken
from shelldock.model import (
    WEIGHT,
    Audit,
    Connection,
    Interpreter,
    Resource,
    Role,
    Shell,
    Token,
    User,
    Value,
)
from shelldock.packing import packed
from shelldock.rest import Page, Rest, given


class _Issued(Value, frozen=True, kw_only=True):
    token: Token
    secret: str


class _Details(Value, frozen=True, kw_only=True):
    resource: Resource
    children: list[Resource]


class _Folders(Value, frozen=True, kw_only=True):
    folders: list[str]


class RemoteInventory:
    """The resources that a server has, as ``Host.inventory`` has those of this machine; passwords are hidden."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def resources(self, within: str = "") -> list[Resource]:
        """The root resources, by name: all, or those in one folder and the folders inside of it."""
        return self._rest.all(Resource, "resources", {"folder": within or None})

    def folders(self) -> list[str]:
        """The folders that have resources in them, or in folders inside of them."""
        return self._rest.ask(_Folders, "GET", "folders").folders

    def move_folder(self, old: str, new: str) -> list[Resource]:
        """Let a folder, with all in it, be called otherwise, or lie elsewhere; returns what is in it."""
        return self._rest.ask(list[Resource], "POST", "folders/move", {"folder": old, "to": new})

    def resource(self, name: str) -> Resource:
        """The resource with this full name."""
        return self._details(name).resource

    def children(self, name: str) -> list[Resource]:
        """What is directly below a resource."""
        return self._details(name).children

    def tree(self, name: str) -> list[Resource]:
        """A resource and all below it; parents come before their children."""
        found = self._details(name, tree="true")
        return [found.resource, *found.children]

    def create(
        self,
        name: str,
        shell: Shell,
        address: str = "",
        attributes: Mapping[str, str] | None = None,
        description: str = "",
        folder: str = "",
    ) -> Resource:
        """Add a root resource."""
        asked = {
            "name": name,
            "shell": shell.name,
            "address": address,
            "attributes": attributes or {},
            "description": description,
            "folder": folder,
        }
        return self._rest.ask(Resource, "POST", "resources", asked)

    def set(
        self,
        name: str,
        *,
        address: str | None = None,
        attributes: Mapping[str, str] | None = None,
        description: str | None = None,
        excluded: bool | None = None,
        folder: str | None = None,
    ) -> Resource:
        """Change some facts of a resource, all at once; None leaves a fact as it is."""
        asked = {
            "address": address,
            "attributes": attributes or {},
            "description": description,
            "excluded": excluded,
            "folder": folder,
        }
        return self._rest.ask(Resource, "PATCH", f"resources/{quote(name)}", asked, again=True)

    def _details(self, name: str, **query: str) -> _Details:
        return self._rest.ask(_Details, "GET", f"resources/{quote(name)}", query=query)


class RemoteConnections:
    """The cables between the resources that a server has, as ``Host.connections`` has those of this machine."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def all(self) -> list[Connection]:
        """Every cable once, by the name of one of its ends."""
        return self._rest.all(Connection, "connections")

    def below(self, name: str) -> list[Connection]:
        """What a resource and its parts are connected to, as seen from them."""
        return self._rest.all(Connection, "connections", {"resource": name})

    def connect(
        self, one: str, other: str, weight: int = WEIGHT, *, replace: bool = False
    ) -> Connection:
        """Connect two elements; ``replace`` takes away what either is connected to."""
        asked = {"resource": one, "other": other, "weight": weight, "replace": replace}
        return self._rest.ask(Connection, "POST", "connections", asked)

    def disconnect(self, name: str) -> None:
        """Take away the cable of an element."""
        self._rest.send("DELETE", f"connections/{quote(name)}")


class RemoteCatalog:
    """The shells of a server, as ``Catalog`` has them."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def shells(self) -> list[Shell]:
        """Every shell that can be used, sorted by name."""
        return self._rest.all(Shell, "shells")

    def broken(self) -> list[Broken]:
        """Every shell that is there and cannot be used."""
        return self._rest.all(Broken, "broken-shells")

    def get(self, name: str) -> Shell:
        """The shell of this name."""
        return self._rest.ask(Shell, "GET", _place("shells", name))

    def interpreter(self, name: str) -> Interpreter:
        """The Python that a shell's driver gets there, and why."""
        return self._rest.ask(Interpreter, "GET", f"{_place('shells', name)}/interpreter")

    def add(self, path: Path, *, force: bool = False) -> Shell:
        """Send the folder or package at ``path``: a shell, or another version of one that is there."""
        file = re.sub(r"[^A-Za-z0-9 ._+-]", "_", path.resolve().name)[:100]
        query = {"file": file, "force": str(force).lower()}
        return self._rest.ask(Shell, "POST", "shells", packed(path), query=query, patient=True)


class RemoteUsers:
    """Who may log in at a server, as ``Users`` has them; others than oneself are for admins."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def all(self) -> list[User]:
        """Every user, by name."""
        return self._rest.all(User, "users")

    def get(self, name: str) -> User:
        """The user of this name."""
        return self._rest.ask(User, "GET", _place("users", name))

    def add(self, name: str, password: str, role: Role = "user", email: str = "") -> User:
        """Add a user."""
        asked = {"name": name, "password": password, "role": role, "email": email}
        return self._rest.ask(User, "POST", "users", asked)

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        email: str | None = None,
        active: bool | None = None,
    ) -> User:
        """Change some facts of a user; None leaves one as it is. One's own password takes no role."""
        asked = {"role": role, "password": password, "email": email, "active": active}
        return self._rest.ask(User, "PATCH", _place("users", name), asked)

    def remove(self, name: str) -> None:
        """Remove a user and all tokens."""
        self._rest.send("DELETE", _place("users", name))

    def tokens(self, user: str | None = None) -> list[Token]:
        """Every token that one may see, or those of one user, oldest first."""
        found = self._rest.all(Token, "tokens")
        return [one for one in found if user in (None, one.user)]

    def issue(self, user: str, name: str = "", lifetime: float | None = None) -> tuple[Token, str]:
        """Make a token for a user; the token, and its secret, which is told this once.

        :param lifetime: seconds; None: until it is revoked.
        """
        asked = given({"user": user, "name": name, "lifetime": lifetime})
        issued = self._rest.ask(_Issued, "POST", "tokens", asked)
        return issued.token, issued.secret

    def revoke(self, id: str) -> Token:
        """End a token at once."""
        return self._rest.ask(Token, "DELETE", _place("tokens", id))


class RemoteAudit:
    """Who changed what at a server, as ``Auditing`` has it."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def read(self, *, user: str | None = None, before: int = 0, limit: int = 100) -> list[Audit]:
        """The newest lines, newest first; ``before``: only those older than the one with this id."""
        found: list[Audit] = []
        after = str(before)
        while after and len(found) < limit:
            query = {"user": user, "after": after, "limit": min(limit - len(found), 1000)}
            page = self._rest.ask(Page, "GET", "audit", query=query)
            found += [self._rest.read(one, Audit) for one in page.items]
            after = page.next
        return found


def _place(kind: str, name: str) -> str:
    return f"{kind}/{quote(name, safe='')}"
