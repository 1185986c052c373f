"""Users, passwords and tokens: who is known, and who is not any more."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.workshop import clean_environ

from shelldock import users as users_
from shelldock.auditing import Auditing
from shelldock.errors import ConflictError, DeniedError, InputError, LoginError, NotFoundError
from shelldock.model import Audit, User
from shelldock.store import Store
from shelldock.users import Users, require


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield store
    store.close()


@pytest.fixture
def users(store: Store) -> Users:
    return Users(store)


def test_a_user_logs_in_with_the_password_and_nothing_else(users: Users) -> None:
    eve = users.add("Eve", "correct horse", "user", "eve@example.com")
    assert users.login("eve", "correct horse") == eve == users.get("EVE")
    for name, password in (("eve", "wrong horse"), ("adam", "correct horse"), ("eve", "")):
        with pytest.raises(LoginError, match=r"^the user or the password is wrong$"):
            users.login(name, password)
    users.change("eve", active=False)
    with pytest.raises(LoginError, match=r"^the user or the password is wrong$"):
        users.login("eve", "correct horse")


def test_who_guesses_has_to_wait_and_the_right_password_does_not_help_meanwhile(
    users: Users,
) -> None:
    users.add("eve", "correct horse")
    for name in ("eve", "nobody"):
        for _ in range(users_.FREE):
            with pytest.raises(LoginError, match="wrong"):
                users.login(name, "guess one")
        with pytest.raises(LoginError, match="too many failed log-ins"):
            users.login(name, "correct horse")


def test_no_password_and_no_secret_is_in_the_store(users: Users, tmp_path: Path) -> None:
    users.add("eve", "correct horse")
    _, secret = users.issue("eve")
    kept = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"$argon2id$" in kept
    assert b"correct horse" not in kept
    assert secret.encode() not in kept


def test_a_token_is_good_until_it_is_revoked_expires_or_its_user_may_not(users: Users) -> None:
    users.add("root", "12345678", "admin")
    eve = users.add("eve", "correct horse")
    token, secret = users.issue("eve", "laptop")
    assert users.who(secret) == eve == users.known(secret)
    users.revoke(token.id)
    _, short = users.issue("eve", lifetime=0.05)
    _, other = users.issue("eve")
    assert users.who(other) == eve
    users.change("eve", password="battery staple")
    time.sleep(0.05)
    for bad in (secret, short, other, "", "sdk_guess", users.issue("eve")[1] + "x"):
        with pytest.raises(LoginError, match="log in again"):
            users.who(bad)
    _, last = users.issue("eve")
    assert users.who(last) == eve
    users.remove("eve")
    with pytest.raises(LoginError):
        users.who(last)
    with pytest.raises(NotFoundError):
        users.revoke(token.id)


def test_what_another_process_revokes_ends_here_within_seconds(
    users: Users, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users_, "FRESH", 0.2)
    users.add("eve", "correct horse")
    token, secret = users.issue("eve")
    users.who(secret)
    Users(store).revoke(token.id)
    time.sleep(0.3)  # longer than it is believed
    with pytest.raises(LoginError):
        users.who(secret)


def test_somebody_can_always_administer(users: Users) -> None:
    password = users.bootstrap()
    assert password is not None
    assert users.bootstrap() is None, "it is told once"
    assert users.login("admin", password).role == "admin"
    for change in (
        lambda: users.remove("admin"),
        lambda: users.change("admin", role="user"),
        lambda: users.change("admin", active=False),
    ):
        with pytest.raises(ConflictError, match="no active admin would be left"):
            change()
    assert users.get("admin") == users.login("admin", password)


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "ä", "a" * 65, "a\n"])
def test_names_that_a_user_cannot_have_are_refused(users: Users, name: str) -> None:
    with pytest.raises(InputError, match="cannot call a user"):
        users.add(name, "correct horse")


def test_bad_facts_are_refused(users: Users) -> None:
    users.add("eve", "correct horse")
    with pytest.raises(ConflictError, match="there already"):
        users.add("EVE", "correct horse")
    with pytest.raises(InputError, match="8 to 1024 characters"):
        users.add("adam", "short")
    with pytest.raises(InputError, match="no role"):
        users.add("adam", "correct horse", "king")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="lifetime"):
        users.issue("eve", lifetime=0)
    with pytest.raises(NotFoundError, match="did you mean 'eve'"):
        users.issue("eva")


def test_roles_include_the_lesser_ones_d4() -> None:
    require(User(name="a", role="admin"), "user", "run commands")
    with pytest.raises(
        DeniedError, match="user 'o' may not run commands; that takes the role 'user'"
    ):
        require(User(name="o", role="observer"), "user", "run commands")


def test_the_audit_is_read_newest_first_and_in_pages(store: Store) -> None:
    audit = Auditing(store)
    for number in range(5):
        audit.write(
            Audit(at=number, user="eve" if number % 2 else "adam", action="add", object=str(number))
        )
    assert [one.object for one in audit.read(limit=2)] == ["4", "3"]
    assert [one.object for one in audit.read(before=audit.read(limit=2)[-1].id)] == ["2", "1", "0"]
    assert [one.object for one in audit.read(user="eve")] == ["3", "1"]


def test_the_command_line_keeps_users_and_tokens(tmp_path: Path) -> None:
    def shelldock(*arguments: str, given: str = "", code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "shelldock", *arguments],
            input=given,
            env=clean_environ(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout if not code else done.stderr

    shelldock("user", "add", "root", "--role", "admin", "--password-stdin", given="12345678\n")
    shelldock("user", "add", "eve", "--password-stdin", given="correct horse\n")
    assert "password-stdin" in shelldock("user", "add", "adam", code=2)
    shelldock("user", "change", "eve", "--role", "observer", "--email", "eve@example.com")
    assert json.loads(shelldock("user", "show", "eve", "--json"))["role"] == "observer"
    secret = shelldock("token", "create", "eve", "--lifetime", "30d").strip()
    assert secret.startswith("sdk_")
    (token,) = json.loads(shelldock("token", "list", "--json"))
    assert secret not in json.dumps(token)
    shelldock("token", "revoke", token["id"])
    shelldock("user", "remove", "eve")
    assert "no active admin" in shelldock("user", "remove", "root", code=2)
    assert [one["name"] for one in json.loads(shelldock("user", "list", "--json"))] == ["root"]
    assert json.loads(shelldock("audit", "--json")) == []
