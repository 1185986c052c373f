"""The shells, users, tokens and audit of a server, in the shapes in which this machine has its own."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from shelldock.catalog import Broken
from shelldock.model import Audit, Interpreter, Role, Shell, Token, User, Value
from shelldock.packing import packed
from shelldock.rest import Page, Rest, given


class _Issued(Value, frozen=True, kw_only=True):
    token: Token
    secret: str


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
