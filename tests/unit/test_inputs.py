"""Commands and inputs are checked against what the shell declares, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelldock.errors import InputError, NotFoundError
from shelldock.inputs import check
from shelldock.model import Command, Driver, Parameter

SAVE = Command(
    name="save",
    parameters=(
        Parameter(name="folder", mandatory=True),
        Parameter(name="kind", choices=("running", "startup"), default="running"),
        Parameter(name="request", declared=False),
    ),
)


def driver(*commands: Command, complete: bool = True) -> Driver:
    return Driver(
        name="D",
        main_class="driver.D",
        source=Path("/src"),
        digest="0",
        commands=commands,
        complete=complete,
    )


def test_declared_and_undeclared_parameters_are_taken() -> None:
    given = {"folder": "f", "request": "{}"}
    assert check(driver(SAVE), "save", given) == given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "mandatory inputs of 'save': folder"),
        (
            {"folder": "f", "knd": "x"},
            "no input 'knd'; it takes folder, kind, request; did you mean 'kind'?",
        ),
        ({"folder": "f", "kind": "x"}, "is 'x'; expected one of: running, startup"),
    ],
    ids=["D7 mandatory", "unknown", "D7 lookup"],
)
def test_what_the_command_does_not_take_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        check(driver(SAVE), "save", given)


def test_an_unknown_command_is_refused_with_those_there_are() -> None:
    with pytest.raises(NotFoundError, match="it has save"):
        check(driver(SAVE), "reboot", {})


def test_discovery_needs_no_declaration() -> None:
    assert check(driver(SAVE), "get_inventory", {}) == {}


def test_a_class_that_could_not_be_read_leaves_the_rest_to_its_process() -> None:
    unread = driver(SAVE, complete=False)
    assert check(unread, "reboot", {"a": "1"}) == {"a": "1"}
    assert check(unread, "save", {"folder": "f", "more": "1"}) == {"folder": "f", "more": "1"}
