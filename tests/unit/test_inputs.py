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


def test_of_commands_that_share_a_name_the_first_is_meant() -> None:
    known = driver(SAVE, Command(name="load"), Command(name="load", label="again"))
    assert known.command("load") == Command(name="load")
    assert known.command("unload") is None


def test_declared_and_undeclared_parameters_are_taken_c4() -> None:
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
    ids=["D7 mandatory", "C3 unknown", "D7 lookup"],
)
def test_what_the_command_does_not_take_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        check(driver(SAVE), "save", given)


def test_values_without_names_are_those_of_the_parameters_in_order_c3() -> None:
    assert check(driver(SAVE), "save", ["f", "startup"]) == {"folder": "f", "kind": "startup"}
    assert check(driver(SAVE), "save", ("f", "", "{}"))["request"] == "{}"
    assert check(driver(SAVE), "get_inventory", []) == {}


def test_no_value_without_a_name_is_for_the_ports_c4() -> None:
    names = [Parameter(name=name, declared=False) for name in ("ports", "delay")]
    power = Command(name="power", parameters=tuple(names))
    assert check(driver(power), "power", ["5"]) == {"delay": "5"}


def test_more_values_than_parameters_are_refused_with_what_it_takes_c3() -> None:
    with pytest.raises(InputError, match="'save' got 4 values; it takes 3: folder, kind, request"):
        check(driver(SAVE), "save", ["f", "startup", "{}", "x"])
    with pytest.raises(InputError, match="'get_inventory' got 1 values; it takes none"):
        check(driver(SAVE), "get_inventory", ["x"])


def test_values_without_names_are_held_to_the_same_rules_d7() -> None:
    with pytest.raises(InputError, match="mandatory inputs of 'save': folder"):
        check(driver(SAVE), "save", ["", "running"])
    with pytest.raises(InputError, match="expected one of: running, startup"):
        check(driver(SAVE), "save", ["f", "other"])


def test_one_text_is_no_list_of_values_c3() -> None:
    with pytest.raises(InputError, match="by name, or as a list"):
        check(driver(SAVE), "save", "folder")


def test_a_method_with_any_keywords_takes_inputs_of_any_name_c3() -> None:
    rest = driver(Command(name="rest", takes_any=True))
    assert check(rest, "rest", {"colour": "red"}) == {"colour": "red"}


@pytest.mark.parametrize("name", ["context", "cancellation_context"])
def test_what_the_host_fills_in_is_no_input_c5(name: str) -> None:
    for command in (Command(name="go", takes_any=True), Command(name="go")):
        with pytest.raises(InputError, match=f"has no input '{name}'"):
            check(driver(command), "go", {name: "mine"})


def test_an_unknown_command_is_refused_with_those_there_are_c1() -> None:
    with pytest.raises(NotFoundError, match="it has save"):
        check(driver(SAVE), "reboot", {})


def test_discovery_needs_no_declaration() -> None:
    assert check(driver(SAVE), "get_inventory", {}) == {}


def test_a_class_that_could_not_be_read_leaves_the_rest_to_its_process() -> None:
    unread = driver(SAVE, complete=False)
    assert check(unread, "reboot", {"a": "1"}) == {"a": "1"}
    assert check(unread, "save", {"folder": "f", "more": "1"}) == {"folder": "f", "more": "1"}
