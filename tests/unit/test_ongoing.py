"""Who waits for whom: what would wait for itself is refused with the chain, everything else is let through."""

from __future__ import annotations

import itertools

import pytest

from shelldock.errors import CycleError
from shelldock.model import NO_LIMIT, Call, Resource, Sandbox, Target
from shelldock.ongoing import DEEPEST, Ongoing


class Lab:
    """Executions that begin and run as a test says; the key of one is the name of its target."""

    def __init__(self, **rooms: float) -> None:
        self.running: set[str] = set()
        self.ongoing = Ongoing(
            lambda one: one in self.running, lambda call: rooms.get(call.target.name, 1)
        )
        self._numbers = itertools.count(1)

    def begin(self, key: str, parent: str = "", *, runs: bool = True) -> str:
        """Accept a command for ``key``; its id."""
        execution = f"{key}{next(self._numbers)}"
        target = Target(resource=Resource(name=key))
        self.ongoing.begin(key, Call(execution=execution, target=target, command="do"), parent)
        if runs:
            self.running.add(execution)
        return execution


def test_a_chain_is_let_through_and_known_i16() -> None:
    lab = Lab()
    first = lab.begin("A")
    second = lab.begin("B", first)
    third = lab.begin("C", second)
    assert lab.ongoing.chain(third) == ("A", "B", "C")
    assert lab.ongoing.chain("") == lab.ongoing.chain("gone") == ()
    lab.ongoing.end(third)
    assert lab.ongoing.of("C") == []
    assert lab.ongoing.of("B") == [second]


def test_the_commands_in_a_sandbox_are_known_until_they_end() -> None:
    lab = Lab()
    lab.begin("A")
    target = Target(resource=Resource(name="B"), sandbox=Sandbox(id="s1"))
    lab.ongoing.begin("B", Call(execution="b", target=target, command="do"))
    assert lab.ongoing.within("s1") == ["b"]
    lab.ongoing.end("b")
    assert lab.ongoing.within("s1") == []


def test_a_command_for_the_one_that_asks_is_refused_with_the_chain_i16() -> None:
    lab = Lab()
    second = lab.begin("B", lab.begin("A"))
    with pytest.raises(CycleError, match="'do' of 'A' → 'do' of 'B' → 'do' of 'A'"):
        lab.begin("A", second)
    with pytest.raises(CycleError):
        lab.begin("B", second)
    assert lab.begin("C", second)


def test_what_was_refused_is_not_remembered_i16() -> None:
    lab = Lab()
    first = lab.begin("A")
    with pytest.raises(CycleError):
        lab.begin("A", first)
    assert lab.ongoing.of("A") == [first]
    lab.ongoing.end(first)
    assert lab.begin("A", "gone")


def test_two_chains_that_would_cross_are_refused_at_the_second_i16() -> None:
    lab = Lab()
    ours, theirs = lab.begin("A"), lab.begin("B")
    lab.begin("B", ours, runs=False)
    with pytest.raises(CycleError):
        lab.begin("A", theirs)


def test_a_cycle_through_many_is_found_i16() -> None:
    lab = Lab()
    heads = [lab.begin(key) for key in "ABCDEF"]
    for head, wanted in zip(heads, "BCDEF", strict=False):
        lab.begin(wanted, head, runs=False)
    with pytest.raises(CycleError):
        lab.begin("A", heads[-1])
    assert lab.begin("G", heads[-1])


def test_a_driver_that_runs_any_number_may_call_itself_i16() -> None:
    lab = Lab(A=NO_LIMIT)
    first = lab.begin("A")
    second = lab.begin("A", first)
    assert lab.begin("A", lab.begin("B", second))


def test_not_while_it_initializes_i16() -> None:
    lab = Lab(A=NO_LIMIT)
    starting = lab.begin("A", runs=False)
    with pytest.raises(CycleError):
        lab.begin("A", starting)


def test_as_long_as_there_is_room_nobody_waits_i16() -> None:
    lab = Lab(A=2)
    first = lab.begin("A")
    second = lab.begin("A", first)
    with pytest.raises(CycleError):
        lab.begin("A", second)


def test_one_that_waits_below_a_concurrent_driver_is_found_i16() -> None:
    lab = Lab(B=NO_LIMIT)
    second = lab.begin("B", lab.begin("A"))
    with pytest.raises(CycleError):
        lab.begin("A", second)


def test_a_chain_has_an_end_i16() -> None:
    lab = Lab(A=NO_LIMIT)
    last = ""
    for _ in range(DEEPEST):
        last = lab.begin("A", last)
    with pytest.raises(CycleError, match="…"):
        lab.begin("A", last)


def test_a_thousand_unrelated_commands_make_no_cycle_i16() -> None:
    lab = Lab()
    for number in range(1000):
        lab.begin("shared", lab.begin(f"own {number}"), runs=number == 0)
