"""The published, unmodified client packages log on, call, parse and raise against the API (A1, A2, A4, A5, A6)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.compat.conftest import SWITCH
from tests.compat.published import CLIENTS, CORES, SCRIPTS, environment, present

if TYPE_CHECKING:
    from tests.compat.conftest import Served


def run(python: Path, script: str, served: Served, *arguments: str) -> dict[str, Any]:
    """What ``script`` prints as JSON, run by a client's interpreter against ``served``."""
    done = subprocess.run(
        [
            python,
            "-I",
            SCRIPTS / script,
            served.connectivity.address,
            served.world.token,
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.parametrize(("needs", "python"), present(CLIENTS))
def test_a_client_calls_everything_that_drivers_call_a2_a5(
    needs: str, python: str, served: Served
) -> None:
    seen = run(environment(needs, python), "calls.py", served)
    world = served.world
    assert seen["clear"] == "pass\n<&\"'é"
    assert seen["plain"] == ["", "never encrypted"]
    assert seen["vendor"] == "line 1\nline 2\t\u2603"
    assert seen["port"] == ["sw1/Chassis 1/P1", "10.0.0.1/CH1/P1"]
    assert seen["types"] == ["str", "bool"]
    assert seen["sandbox"] == ["sb", ["sw1", "web_1"], ["my svc"], "vm-7"]
    assert seen["status"] == ["Online", "two\nlines"]
    assert seen["read back"] == "bob"
    assert seen["refused"] == ["100", "100", "100"]
    assert "CreateFolder" in str(seen["words"])
    now = world.inventory.resource("sw1")
    assert now.address == "10.0.0.2"
    assert now.attributes["CS_Switch.Vendor"] == "multi\nline"
    assert now.attributes["MySwitch.Sessions"] == "5"
    assert world.vault.decrypt(now.attributes["MySwitch.Password"]) == "new ☃"
    assert world.messages == ('h\xe9llo <b>&"x"\n\U0001f600', "[31mred", "\ufffd\ufffd")


@pytest.mark.parametrize(("needs", "python"), present(CLIENTS))
def test_a_client_connects_ports_and_reads_folders_and_connections_a2_a5(
    needs: str, python: str, served: Served
) -> None:
    inventory = served.world.inventory
    inventory.set("sw1", folder="Lab 1/Rack 3")
    inventory.create("sw2", SWITCH, folder="Lab 2")
    inventory.create("sw3", SWITCH)
    assert run(environment(needs, python), "cabling.py", served) == {
        "folder": "Lab 1/Rack 3",
        "connected": [["Lab 2/sw2", 10]],
        "found": "sw2",
        "refused": "100",
        "replaced": [["sw3", 4]],
        "not connected": "100",
        "free": [],
    }


@pytest.mark.parametrize(("needs", "python"), present(CLIENTS))
def test_a_client_whose_login_is_refused_raises_at_once(
    needs: str, python: str, served: Served
) -> None:
    seen = run(environment(needs, python), "refused.py", served)
    assert [str(words).startswith("Login failed for user") for words in seen["words"]] == [
        True,
        True,
    ]


@pytest.mark.parametrize(("needs", "python"), present(CLIENTS[:3]))
def test_a_client_whose_session_is_unknown_logs_on_again_once(
    needs: str, python: str, served: Served
) -> None:
    seen = run(environment(needs, python), "relogin.py", served)
    assert seen == {
        "name": "sw1",
        "requests": ["GetResourceDetails", "SecureLogon", "GetResourceDetails"],
    }


@pytest.mark.parametrize(("needs", "python"), present(CLIENTS[3:]))
def test_an_old_client_whose_session_is_unknown_hears_of_it(
    needs: str, python: str, served: Served
) -> None:
    seen = run(environment(needs, python), "expired.py", served)
    assert "401" in str(seen["words"])


@pytest.mark.parametrize(("needs", "python"), present(CORES))
def test_a1_the_session_helper_of_drivers_ignores_the_port_and_works(
    needs: str, python: str, served: Served
) -> None:
    seen = run(environment(needs, python), "session.py", served)
    assert seen == {"clear": "pass\n<&\"'é", "domain": "Global"}
    assert served.world.messages == ("from a driver",)


@pytest.mark.parametrize(("needs", "python"), present(CORES[:1]))
def test_a6_the_look_up_of_a_shells_version_is_answered(
    needs: str, python: str, served: Served
) -> None:
    seen = run(environment(needs, python), "lookup.py", served)
    assert seen == {"raised": "FeatureUnavailable", "logged": True}


@pytest.mark.parametrize(("needs", "python"), present(CLIENTS[1:2]))
def test_many_threads_share_a_session(needs: str, python: str, served: Served) -> None:
    seen = run(environment(needs, python), "threads.py", served)
    assert seen == {"right": 400}
    assert len(served.world.messages) == 400
