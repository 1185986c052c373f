"""Contexts are objects of the environment's classes, whatever their release, or of equals."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from shelldriver.contexts import ATTRIBUTES, CancellationContext, Contexts

Install = Callable[[str], Contexts]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes the contexts of an environment whose ``driver_context`` module has this code."""
    before = dict(sys.modules)

    def contexts(code: str) -> Contexts:
        core = tmp_path / "cloudshell" / "shell" / "core"
        core.mkdir(parents=True)
        (core / "driver_context.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        return Contexts(print)

    yield contexts
    for name in set(sys.modules) - set(before):
        del sys.modules[name]


CONNECTIVITY = {name: name.upper() for name in ATTRIBUTES["ConnectivityContext"].split()}

RELEASES = {
    "four": "self, server_address, cloudshell_api_port, quali_api_port, admin_auth_token",
    "six": ", ".join(["self", *list(CONNECTIVITY)[:6]]),
    "newest": ", ".join(["self", *CONNECTIVITY]) + "=None",
    "camel": "self, serverAddress, tsAPIPort, qualiAPIPort, token",
    "more": "self, server_address, networks_info, *others, extra=3",
    "none": "self",
}


@pytest.mark.parametrize("signature", RELEASES.values(), ids=RELEASES)
def test_every_release_of_a_class_is_built_with_all_attributes_C7(
    install: Install, signature: str
) -> None:
    contexts = install(
        f"class ConnectivityContext:\n    def __init__({signature}):\n        self.made = True\n"
    )
    made = contexts.build({"$class": "ConnectivityContext", **CONNECTIVITY})
    assert type(made).__module__ == "cloudshell.shell.core.driver_context"
    assert vars(made) == {"made": True, **CONNECTIVITY}


def test_the_constructor_gets_what_it_names(install: Install) -> None:
    contexts = install("class ConnectivityContext:\n    def __init__(self, serverAddress, token, n=5):\n"
                       "        self.given = (serverAddress, token, n)\n")  # fmt: skip
    assert contexts.build({"$class": "ConnectivityContext", "server_address": "x"}).given == (
        "x",
        None,
        5,
    )


def test_properties_without_setter_and_slots_are_respected(install: Install) -> None:
    contexts = install(
        "class AppContext:\n"
        "    __slots__ = ('deployed_app_json',)\n"
        "    app_request_json = property(lambda self: 'own')\n"
    )
    made = contexts.build(
        {"$class": "AppContext", "deployed_app_json": "{}", "app_request_json": "x"}
    )
    assert (made.deployed_app_json, made.app_request_json) == ("{}", "own")


def test_the_environments_cancellation_class_is_used(install: Install) -> None:
    contexts = install("class CancellationContext:\n    is_cancelled = False\n")
    assert type(contexts.cancellation()).__module__ == "cloudshell.shell.core.driver_context"


def test_without_the_package_equals_have_every_attribute_C7() -> None:
    contexts = Contexts(print)
    for name, attributes in ATTRIBUTES.items():
        made = contexts.build({"$class": name})
        assert type(made).__name__ == name
        assert all(getattr(made, attribute) is None for attribute in attributes.split())
    assert type(contexts.cancellation()) is CancellationContext


def test_a_broken_package_is_as_good_as_none_and_said(
    install: Install, capfd: pytest.CaptureFixture[str]
) -> None:
    made = install("1 / 0").build({"$class": "InitCommandContext", "resource": 1})
    assert (type(made).__name__, made.resource, made.connectivity) == (
        "InitCommandContext",
        1,
        None,
    )
    assert "division by zero" in capfd.readouterr().out


def test_unknown_classes_are_plain_objects_of_that_name() -> None:
    made: Any = Contexts(print).build(
        {"$class": "Novelty", "parts": [{"$class": "Part", "a": {"b": 1}}]}
    )
    assert type(made).__name__ == "Novelty"
    assert made.parts[0].a == {"b": 1}
    assert "Novelty" in repr(made)


def test_each_context_is_new_C9() -> None:
    contexts, data = Contexts(print), {"$class": "ResourceContextDetails", "attributes": {"a": "1"}}
    one, other = contexts.build(deepcopy(data)), contexts.build(deepcopy(data))
    one.attributes["a"] = "changed"
    one.address = "changed"
    assert other.attributes == {"a": "1"}
    assert other.address is None
