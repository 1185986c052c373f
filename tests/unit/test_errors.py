"""Errors survive the way across a process or a machine, and offer what would have worked."""

from __future__ import annotations

import pytest

from shelldock.errors import (
    DiscoveryFailed,
    DriverError,
    EnvironmentFailed,
    ExcludedError,
    InstanceLost,
    LimitReached,
    NoDiscoveryError,
    NoDriverError,
    NotFoundError,
    ShelldockError,
    nearest,
    revive,
)


@pytest.mark.parametrize(
    "error",
    [
        DriverError("save", "ValueError", "bad port", "Traceback …"),
        EnvironmentFailed("sw", "resolve", "no such package", "/logs/x"),
        LimitReached("command", 3.0, "'save'", "settings.toml"),
        InstanceLost("gone"),
        NotFoundError("resource", "sw2", ["sw1"]),
        NoDriverError("sw1", "Switch"),
        NoDiscoveryError("sw1", "SwitchDriver"),
        ExcludedError("sw1/Chassis 1"),
        DiscoveryFailed("sw1", DriverError("get_inventory", "ValueError", "no\nroute", "Trace")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_the_same_after_it_was_plain_data(error: ShelldockError) -> None:
    again = revive(error.code, str(error), error.facts)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.facts == error.facts


def test_every_error_has_a_code_of_its_own() -> None:
    def family(kind: type[ShelldockError]) -> list[type[ShelldockError]]:
        return [kind, *(one for child in kind.__subclasses__() for one in family(child))]

    ours = [one for one in family(ShelldockError) if one.__module__ == "shelldock.errors"]
    assert len({one.code for one in ours}) == len(ours)


def test_what_is_not_there_comes_with_the_nearest_that_is() -> None:
    assert nearest("Sve", ["save", "restore"]) == ["save"]
    assert (
        str(NotFoundError("command", "sve", ["save"])) == "no command 'sve'; did you mean 'save'?"
    )
    assert (
        str(NotFoundError("command", "x", ["save"], "it has save")) == "no command 'x'; it has save"
    )
