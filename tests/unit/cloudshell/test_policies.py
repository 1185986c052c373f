"""The small answers: who shares an instance, how many at once, how long idle, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelldock.model import NO_LIMIT, Instance, Kind, Node, Resource, Sandbox, Shell, Target
from shelldock_cloudshell.concurrency import shelldock_concurrency
from shelldock_cloudshell.idle import Idle
from shelldock_cloudshell.placement import shelldock_place
from shelldock_cloudshell.scope import shelldock_scope


def scope(kind: Kind, name: str, sandbox: str | None = None) -> str:
    used = Sandbox(id=sandbox) if sandbox else None
    return shelldock_scope(Target(kind=kind, resource=Resource(name=name), sandbox=used))


@pytest.mark.parametrize("sandbox", [None, "s1", "s2"])
def test_a_resource_and_all_below_it_share_one_wherever_used_I1_I13(sandbox: str | None) -> None:
    assert scope("resource", "sw1", sandbox) == "resource/sw1"
    assert scope("resource", "sw1/Chassis 1/P3", sandbox) == "resource/sw1"


def test_apps_and_services_have_one_in_each_sandbox_I1() -> None:
    assert scope("app", "MySQL", "s1") == "sandbox/s1/app/MySQL"
    assert scope("service", "MySQL", "s1") == "sandbox/s1/service/MySQL"
    keys = {
        scope(kind, "MySQL", sandbox)
        for kind in ("app", "service")
        for sandbox in ("s1", "s2", None)
    }
    assert len(keys) == 6


def test_ports_of_an_app_are_served_by_the_app_I13() -> None:
    assert scope("app", "web/vNIC 1", "s1") == "sandbox/s1/app/web"


def test_an_alias_of_a_service_may_hold_a_slash() -> None:
    assert scope("service", "tg/1", "s1") != scope("service", "tg/2", "s1")


@pytest.mark.parametrize(("concurrent", "most"), [(False, 1), (True, NO_LIMIT)], ids=["Q1", "Q2"])
def test_only_shells_that_say_so_run_commands_at_once(concurrent: bool, most: float) -> None:
    assert shelldock_concurrency(Shell(name="s", concurrent=concurrent, path=Path("/s"))) == most


def test_the_idle_limit_is_ten_minutes_unless_set_i5() -> None:
    mine = Instance(
        id="1", key="resource/a", node="n", shell="s", target="a", state="ready", started=0
    )
    assert Idle().shelldock_idle_limit(mine) == 600
    assert Idle(limit=NO_LIMIT).shelldock_idle_limit(mine) == NO_LIMIT
    assert Idle(shells={"s": 5}).shelldock_idle_limit(mine) == 5
    assert Idle(shells={"t": 5}).shelldock_idle_limit(mine) == 600


def node(name: str, slots: int, instances: int) -> Node:
    return Node(name=name, slots=slots, instances=instances)


@pytest.mark.parametrize(
    ("nodes", "chosen"),
    [
        ([node("a", 20, 15), node("b", 20, 5)], "b"),
        ([node("a", 20, 5), node("b", 40, 20)], "b"),
        ([node("a", 0, 50), node("b", 100, 1)], "a"),
        ([node("a", 0, 50), node("b", 0, 7)], "b"),
        ([node("b", 20, 5), node("a", 20, 5)], "a"),
        ([], None),
    ],
    ids=["E2 free", "E2 free not small", "no limit", "fewest of no limit", "by name", "none"],
)
def test_the_node_with_the_most_free_slots_is_chosen(nodes: list[Node], chosen: str | None) -> None:
    assert shelldock_place(nodes) == chosen
