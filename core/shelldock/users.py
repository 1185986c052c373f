"""Who may log in, and what they may do: users with passwords, and the tokens that programs show instead."""

from __future__ import annotations

import getpass
import hashlib
import re
import secrets
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from shelldock.errors import ConflictError, DeniedError, InputError, LoginError, NotFoundError
from shelldock.model import ROLES, Role, Token, User, Value
from shelldock.store import Store
from shelldock.tables import tokens, users

if TYPE_CHECKING:
    from argon2 import PasswordHasher

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
SHORTEST: Final = 8
LONGEST: Final = 1024
"""Characters of a password."""

PREFIX: Final = "sdk_"
"""How the secrets of tokens begin, so that people and scanners know what they found."""

FRESH: Final = 2.0
"""Seconds for which a token that was looked up is believed: what other processes revoke ends after so long."""

FREE: Final = 5
"""Failed log-ins in a row after which the next one has to wait."""

LONGEST_WAIT: Final = 60.0
"""Seconds."""

_KNOWN: Final = 10_000
"""Tokens and names in memory."""


class _Seen(Value, frozen=True, kw_only=True):
    user: User
    expires: float | None
    at: float


class _Failures(Value, frozen=True, kw_only=True):
    count: int
    until: float


class Users:
    """The users in the store. Every method may block, and any thread may call it; all raise ``StoreError``.

    Passwords are kept as argon2id hashes, tokens as SHA-256 of secrets that nobody can guess.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[str, _Seen] = {}
        self._failures: dict[str, _Failures] = {}
        self._local = ""
        self._hashing = threading.BoundedSemaphore(2)  # each takes 64 MiB

    # ---- users ----------------------------------------------------------------------------------

    def add(self, name: str, password: str, role: Role = "user", email: str = "") -> User:
        """Add a user. Raises ``ConflictError`` where the name is taken, whatever its case, and ``InputError``."""
        if not NAME.fullmatch(name):
            raise InputError(
                f"cannot call a user {name!r}; a name has up to 64 letters, digits and . _ @ -, a letter or digit first"
            )
        user = User(name=name, role=_role(role), email=email, created=time.time())
        row = msgspec.to_builtins(user) | {
            "folded": name.casefold(),
            "password": self._hashed(password),
        }
        with self._store.transaction(write=True) as connection:
            try:
                connection.execute(insert(users), row)
            except IntegrityError:
                raise ConflictError(
                    f"user {name!r} is there already; choose another name"
                ) from None
        return user

    def all(self) -> list[User]:
        """Every user, by name."""
        with self._store.transaction() as connection:
            rows = connection.execute(select(users).order_by(users.c.folded)).mappings()
            return [_user(row) for row in rows]

    def get(self, name: str) -> User:
        """The user of this name, whatever its case. Raises ``NotFoundError``."""
        with self._store.transaction() as connection:
            return _user(self._row(connection, name))

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        email: str | None = None,
        active: bool | None = None,
    ) -> User:
        """Change some facts of a user; None leaves one as it is.

        A new password, and to be inactive, ends all tokens of the user. Raises ``NotFoundError``, ``InputError``, and
        ``ConflictError`` where no active admin would be left.
        """
        facts = {
            "role": None if role is None else _role(role),
            "password": None if password is None else self._hashed(password),
            "email": email,
            "active": active,
        }
        changed = {key: value for key, value in facts.items() if value is not None}
        with self._store.transaction(write=True) as connection:
            now = _user(self._row(connection, name))
            if changed:
                same = users.c.name == now.name
                connection.execute(update(users).where(same).values(**changed))
            if password is not None or active is False:
                connection.execute(delete(tokens).where(tokens.c.user == now.name))
            self._refuse_no_admin(connection, now, "change")
            after = _user(self._row(connection, name))
        self._seen.clear()
        self._failures.pop(name.casefold(), None)
        return after

    def remove(self, name: str) -> None:
        """Remove a user and all tokens. Raises ``NotFoundError``, and ``ConflictError`` for the last active admin."""
        with self._store.transaction(write=True) as connection:
            user = _user(self._row(connection, name))
            connection.execute(delete(users).where(users.c.name == user.name))
            connection.execute(delete(tokens).where(tokens.c.user == user.name))
            self._refuse_no_admin(connection, user, "remove")
        self._seen.clear()

    def bootstrap(self) -> str | None:
        """Where there are no users, make ``admin``; the password, which is told this once."""
        with self._store.transaction() as connection:
            if connection.execute(select(func.count()).select_from(users)).scalar():
                return None
        password = secrets.token_urlsafe(15)
        self.add("admin", password, "admin")
        return password

    # ---- logging in -----------------------------------------------------------------------------

    def login(self, name: str, password: str) -> User:
        """The user of this name and password.

        Raises ``LoginError`` otherwise, in the same words and after the same time whatever is wrong. After five
        failures in a row the name has to wait, twice as long after each one more, at most a minute.
        """
        folded = name.casefold()[:LONGEST]
        failures = self._failures.get(folded, _Failures(count=0, until=0.0))
        now = time.monotonic()
        if now < failures.until:
            raise LoginError(
                f"too many failed log-ins of this user; try again in {failures.until - now:.0f} s"
            )
        with self._store.transaction() as connection:
            found = (
                connection.execute(select(users).where(users.c.folded == folded)).mappings().first()
            )
        right = self._verified(found["password"] if found else self._nobody, password)
        if found is None or not right or not found["active"]:
            self._fail(folded, failures.count + 1)
            raise LoginError("the user or the password is wrong")
        self._failures.pop(folded, None)
        return _user(found)

    def issue(self, user: str, name: str = "", lifetime: float | None = None) -> tuple[Token, str]:
        """Make a token for a user; the token, and its secret, which is told this once.

        :param name: what its user calls it.
        :param lifetime: seconds; None: until it is revoked.

        Raises ``NotFoundError`` and ``InputError``.
        """
        if lifetime is not None and not 0 < lifetime < float("inf"):
            raise InputError("a token's lifetime is more than 0 seconds")
        secret = PREFIX + secrets.token_urlsafe(32)
        with self._store.transaction(write=True) as connection:
            owner = _user(self._row(connection, user))
            now = time.time()
            token = Token(
                id=secrets.token_hex(8),
                user=owner.name,
                name=name[:LONGEST],
                created=now,
                expires=None if lifetime is None else now + lifetime,
            )
            connection.execute(
                insert(tokens), msgspec.to_builtins(token) | {"digest": _digest(secret)}
            )
        return token, secret

    def tokens(self, user: str | None = None) -> list[Token]:
        """Every token, or those of one user, oldest first."""
        statement = select(tokens).order_by(tokens.c.created)
        if user is not None:
            statement = statement.where(tokens.c.user == user)
        with self._store.transaction() as connection:
            return [_token(row) for row in connection.execute(statement).mappings()]

    def revoke(self, id: str) -> Token:
        """End a token at once. Raises ``NotFoundError``."""
        with self._store.transaction(write=True) as connection:
            found = connection.execute(select(tokens).where(tokens.c.id == id)).mappings().first()
            if found is None:
                known = connection.execute(select(tokens.c.id)).scalars().all()
                raise NotFoundError("token", id, known)
            connection.execute(delete(tokens).where(tokens.c.id == id))
        self._seen.clear()
        return _token(found)

    def revoke_secret(self, secret: str) -> None:
        """End the token with this secret; nothing where there is none."""
        with self._store.transaction(write=True) as connection:
            connection.execute(delete(tokens).where(tokens.c.digest == _digest(secret)))
        self._seen.clear()

    def local(self) -> str:
        """A secret that is an admin's for as long as this process lives: for whoever may enter its sockets."""
        if not self._local:
            self._local = PREFIX + secrets.token_urlsafe(32)
        return self._local

    def known(self, secret: str) -> User | None:
        """Whose token this is, where that is known without asking the store; None: ask ``who``."""
        if self._local and secrets.compare_digest(secret.encode(), self._local.encode()):
            return User(name=_me(), role="admin")
        seen = self._seen.get(_digest(secret))
        if seen is None or time.monotonic() - seen.at > FRESH:
            return None
        return None if seen.expires is not None and seen.expires < time.time() else seen.user

    def who(self, secret: str) -> User:
        """Whose token this is. Raises ``LoginError`` for one that is unknown, was revoked or has expired."""
        known = self.known(secret)
        if known is not None:
            return known
        digest = _digest(secret)
        now = time.time()
        with self._store.transaction() as connection:
            row = (
                connection.execute(
                    select(users, tokens.c.expires, tokens.c.used)
                    .join(tokens, tokens.c.user == users.c.name)
                    .where(tokens.c.digest == digest)
                )
                .mappings()
                .first()
            )
        if row is None or not row["active"] or (row["expires"] or now) < now:
            self._seen.pop(digest, None)
            raise LoginError("the token is unknown, was revoked or has expired; log in again")
        if row["used"] is None or now - row["used"] > 60:
            with self._store.transaction(write=True) as connection:
                same = tokens.c.digest == digest
                connection.execute(update(tokens).where(same).values(used=now))
        user = _user(row)
        self._seen[digest] = _Seen(user=user, expires=row["expires"], at=time.monotonic())
        while len(self._seen) > _KNOWN:
            self._seen.pop(next(iter(self._seen)), None)
        return user

    # ---- inside ---------------------------------------------------------------------------------

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # only who logs in pays for it

        return PasswordHasher()

    @cached_property
    def _nobody(self) -> str:
        """A hash that no password has: an unknown name takes as long as a known one."""
        return self._hasher.hash(secrets.token_urlsafe(32))

    def _hashed(self, password: str) -> str:
        if not SHORTEST <= len(password) <= LONGEST:
            raise InputError(f"a password has {SHORTEST} to {LONGEST} characters")
        with self._hashing:
            return self._hasher.hash(password)

    def _verified(self, digest: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            with self._hashing:
                return self._hasher.verify(digest, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False

    def _fail(self, folded: str, count: int) -> None:
        wait = min(2.0 ** (count - FREE), LONGEST_WAIT) if count >= FREE else 0.0
        self._failures[folded] = _Failures(count=count, until=time.monotonic() + wait)
        while len(self._failures) > _KNOWN:
            self._failures.pop(next(iter(self._failures)), None)

    def _row(self, connection: Connection, name: str) -> RowMapping:
        found = (
            connection.execute(select(users).where(users.c.folded == name.casefold()))
            .mappings()
            .first()
        )
        if found is None:
            known = connection.execute(select(users.c.name)).scalars().all()
            raise NotFoundError("user", name, known)
        return found

    def _refuse_no_admin(self, connection: Connection, before: User, what: str) -> None:
        if before.role != "admin" or not before.active:
            return
        left = connection.execute(
            select(func.count())
            .select_from(users)
            .where(users.c.role == "admin", users.c.active.is_(True))
        ).scalar()
        if not left:
            raise ConflictError(
                f"cannot {what} user {before.name!r}: no active admin would be left; add another one first"
            )


def require(user: User, role: Role, what: str) -> None:
    """Raise ``DeniedError`` where a user is less than ``role``. ``what``: ``end sandbox 'lab'``."""
    if ROLES.index(user.role) < ROLES.index(role):
        raise DeniedError(
            user.name, what, f"that takes the role {role!r}, and theirs is {user.role!r}"
        )


def _role(role: str) -> Role:
    for one in ROLES:
        if one == role:
            return one
    raise InputError(f"there is no role {role!r}; known: {', '.join(ROLES)}")


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "local"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _user(row: RowMapping) -> User:
    return User(
        name=row["name"],
        role=_role(row["role"]),
        email=row["email"],
        active=bool(row["active"]),
        created=row["created"],
    )


def _token(row: RowMapping) -> Token:
    return Token(
        id=row["id"],
        user=row["user"],
        name=row["name"],
        created=row["created"],
        expires=row["expires"],
        used=row["used"],
    )
