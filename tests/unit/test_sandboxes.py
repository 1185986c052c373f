"""Sandboxes remember what is used in them, by value, until they end."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shelldock.errors import NotFoundError
from shelldock.model import Kind, Message, Resource, Sandbox, Target
from shelldock.sandboxes import KEPT, NO_SANDBOX, Sandboxes

ONE = Sandbox(id="s1", name="first")
TWO = Sandbox(id="s2", name="second")


def target(
    name: str, sandbox: Sandbox | None = None, kind: Kind = "app", address: str = ""
) -> Target:
    return Target(kind=kind, resource=Resource(name=name, address=address), sandbox=sandbox)


def test_what_was_admitted_is_found_in_its_sandbox() -> None:
    sandboxes = Sandboxes()
    mysql = sandboxes.admit(target("MySQL", ONE))
    assert sandboxes.find("MySQL", "s1") == mysql
    assert sandboxes.find("MySQL", "s2") is None
    assert sandboxes.find("MySQL", NO_SANDBOX) is None
    assert sandboxes.find("mysql") is None


def test_apps_of_one_name_in_two_sandboxes_are_two() -> None:
    sandboxes = Sandboxes()
    for sandbox in (ONE, TWO):
        sandboxes.admit(target("MySQL", sandbox))
    sandboxes.update(target("MySQL", ONE, address="10.0.0.1"))
    first, second = sandboxes.find("MySQL", "s1"), sandboxes.find("MySQL", "s2")
    assert first is not None
    assert second is not None
    assert (first.resource.address, second.resource.address) == ("10.0.0.1", "")


def test_without_a_sandbox_the_newest_of_a_name_is_found() -> None:
    sandboxes = Sandboxes()
    for sandbox in (ONE, TWO, ONE):
        sandboxes.admit(target("MySQL", sandbox))
    found = sandboxes.find("MySQL")
    assert found is not None
    assert found.sandbox == ONE


def test_what_is_used_on_its_own_is_found_too() -> None:
    sandboxes = Sandboxes()
    alone = sandboxes.admit(target("sw1", kind="resource"))
    assert sandboxes.find("sw1") == sandboxes.find("sw1", NO_SANDBOX) == alone
    assert sandboxes.all() == []


def test_a_sandbox_lists_its_targets_in_the_order_of_their_coming() -> None:
    sandboxes = Sandboxes()
    names = ["web", "db", "api"]
    for name in names:
        sandboxes.admit(target(name, ONE))
    sandboxes.update(target("web", ONE, address="10.0.0.1"))
    sandbox, targets = sandboxes.sandbox("s1")
    assert (sandbox, [one.name for one in targets]) == (ONE, names)


def test_a_sandbox_is_as_it_was_last_told() -> None:
    sandboxes = Sandboxes()
    sandboxes.admit(target("web", ONE))
    sandboxes.admit(target("db", replace(ONE, description="new")))
    assert sandboxes.sandbox("s1")[0].description == "new"


def test_what_was_never_admitted_cannot_be_updated() -> None:
    sandboxes = Sandboxes()
    sandboxes.admit(target("web", ONE))
    with pytest.raises(NotFoundError, match=r"no target 'wbe'; did you mean 'web'\?.*'s1'"):
        sandboxes.update(target("wbe", ONE))
    with pytest.raises(NotFoundError):
        sandboxes.update(target("web", TWO))


def test_the_output_of_a_sandbox_is_its_own_and_goes_with_it_r5() -> None:
    sandboxes = Sandboxes()
    for sandbox in (ONE, TWO, None):
        sandboxes.admit(target("MySQL", sandbox))
    for name in ("s1", "s2", "s1", NO_SANDBOX, "gone"):
        sandboxes.write(name, Message(text=name, at=1.0))
    assert [one.text for one in sandboxes.output("s1")] == ["s1", "s1"]
    sandboxes.end("s1")
    sandboxes.admit(target("MySQL", ONE))
    assert sandboxes.output("s1") == []
    with pytest.raises(NotFoundError, match="sandbox"):
        sandboxes.output("gone")


def test_only_the_newest_output_is_kept_r5() -> None:
    sandboxes = Sandboxes()
    sandboxes.admit(target("MySQL", ONE))
    for number in range(KEPT + 10):
        sandboxes.write("s1", Message(text=str(number), at=1.0))
    texts = [one.text for one in sandboxes.output("s1")]
    assert (len(texts), texts[0], texts[-1]) == (KEPT, "10", str(KEPT + 9))


def test_an_ended_sandbox_is_forgotten_with_its_apps_i9() -> None:
    sandboxes = Sandboxes()
    web = sandboxes.admit(target("web", ONE))
    sandboxes.admit(target("web", TWO))
    assert sandboxes.end("s1") == [web]
    assert sandboxes.find("web", "s1") is None
    assert sandboxes.find("web") is not None
    assert sandboxes.all() == [TWO]
    with pytest.raises(NotFoundError):
        sandboxes.end("s1")


def test_an_unknown_sandbox_offers_the_nearest() -> None:
    sandboxes = Sandboxes()
    sandboxes.admit(target("web", Sandbox(id="sandbox 1")))
    with pytest.raises(NotFoundError, match=r"no sandbox 'sandbox 2'; did you mean 'sandbox 1'\?"):
        sandboxes.sandbox("sandbox 2")
