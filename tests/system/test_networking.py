"""A real driver on the published networking packages discovers, asks and changes a (simulated) switch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.switches import ATTRIBUTES, EXAMPLE, SECRETS, Switch, simulated

from shelldock import Host
from shelldock.errors import DriverError
from shelldock.paths import Paths
from shelldock_cloudshell import interpreters

PORTS = [f"Module 1/TenGigabitEthernet1-{n}" for n in (1, 2)]
PORTS += [f"Module 1/GigabitEthernet1-{n}" for n in (3, 4, 5, 6)]
PORTS += [f"Module 2/GigabitEthernet2-{n}" for n in range(1, 7)]
PYTHONS = ["3.9", "3.12", "3.13"]

pytestmark = pytest.mark.usefixtures("elsewhere")


@dataclass(frozen=True)
class Shelldock:
    """The command line, with places of its own."""

    home: Path

    def run(self, *arguments: str, fails: int = 0) -> subprocess.CompletedProcess[str]:
        """Run one command line, which exits with ``fails``."""
        ended = subprocess.run(
            [sys.executable, "-m", "shelldock", *arguments],
            env={**os.environ, "SHELLDOCK_HOME": str(self.home), "COLUMNS": "160"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == fails, ended.stdout + ended.stderr
        return ended

    def kept(self, name: str) -> list[dict[str, Any]]:
        """A resource as the inventory has it, with all below it."""
        shown: list[dict[str, Any]] = json.loads(
            self.run("resource", "show", name, "--json").stdout
        )
        return shown

    def add(self, name: str, address: str, **changed: str) -> None:
        """Add a resource with the attributes that the simulated switch wants."""
        given = [f"-a{key}={value}" for key, value in (ATTRIBUTES | changed).items()]
        self.run(
            "resource", "add", name, "--shell", "Networking Switch", "--address", address, *given
        )


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    """The simulator of the example."""
    with simulated(tmp_path_factory.mktemp("switch")) as switch:
        yield switch


@pytest.fixture(scope="module")
def shelldock(tmp_path_factory: pytest.TempPathFactory, switch: Switch) -> Shelldock:
    """The command line with the example's shell, the switch as ``sw1``, and one that is not there."""
    made = Shelldock(tmp_path_factory.mktemp("home"))
    made.run("shell", "add", str(EXAMPLE))
    made.add("sw1", switch.address)
    made.add("sw-away", switch.address.removesuffix("10") + "99")
    return made


@pytest.fixture(scope="module")
def elsewhere(shelldock: Shelldock, switch: Switch) -> Iterator[dict[str, Future[set[str]]]]:
    """What a discovery finds on other Pythons; most of it is waiting, so it goes on beside the tests."""
    here = {one.minor for one in interpreters.find(os.environ)}

    def discovered(python: str) -> set[str]:
        name = f"sw-{python}"
        shelldock.add(name, switch.address)
        printed = shelldock.run("discover", name, "--python", python, "--json").stdout
        return {
            one["name"].removeprefix(f"{name}/Chassis 0/")
            for one in json.loads(printed)["resources"]
        }

    with ThreadPoolExecutor() as pool:
        yield {python: pool.submit(discovered, python) for python in PYTHONS if python in here}


@pytest.fixture(scope="module")
def discovered(shelldock: Shelldock) -> subprocess.CompletedProcess[str]:
    """What the first discovery of the switch printed."""
    return shelldock.run("discover", "sw1")


@pytest.fixture(scope="module")
def host(shelldock: Shelldock) -> Iterator[Host]:
    """A host on the same inventory that stays: one driver instance serves the tests that use it."""
    with Host(paths=Paths.below(shelldock.home)) as host:
        yield host


def ask(host: Host, command: str) -> str:
    """What the switch answers."""
    return host.execute("sw1", "run_custom_command", {"custom_command": command}).result or ""


def configure(host: Host, command: str) -> str:
    """What the switch answers in the configuration mode."""
    inputs = {"custom_command": command}
    return host.execute("sw1", "run_custom_config_command", inputs).result or ""


# ---- at the command line ------------------------------------------------------------------------


def test_discover_prints_the_tree_of_chassis_modules_and_ports_n2(
    discovered: subprocess.CompletedProcess[str],
) -> None:
    assert "18 sub-resources" in discovered.stderr
    for name in ("Chassis 0", "Module 1", "Module 2", "Power Port 1", "Power Port 2"):
        assert re.search(rf"── {name}  ", discovered.stdout), discovered.stdout
    for port in PORTS:
        assert f"── {port.partition('/')[2]}  " in discovered.stdout
    assert "── Port-channel1  PC1" in discovered.stdout


@pytest.mark.usefixtures("discovered")
def test_what_discovery_found_is_kept_with_its_attributes_n2(shelldock: Shelldock) -> None:
    found = {one["name"]: one for one in shelldock.kept("sw1")}
    assert {f"sw1/Chassis 0/{port}" for port in PORTS} <= found.keys()
    root, uplink = found["sw1"], found["sw1/Chassis 0/Module 1/TenGigabitEthernet1-1"]
    assert root["attributes"]["CS_Switch.OS Version"] == "15.2(4)E10"
    assert root["attributes"]["CS_Switch.Vendor"] == "Cisco"
    assert uplink["address"] == "CH0/M1/P2"
    assert uplink["model"] == "Networking Switch.GenericPort"
    neighbour = "core-1.lab through TenGigabitEthernet3/4"
    assert uplink["attributes"]["Networking Switch.GenericPort.Adjacent"] == neighbour
    ids = {one["unique_identifier"] for name, one in found.items() if name != "sw1"}
    assert len(ids) == len(found) - 1, "each has an identifier of its own"


def test_a_custom_command_prints_what_the_switch_answers_and_nothing_else(
    shelldock: Shelldock,
) -> None:
    printed = shelldock.run("execute", "sw1", "run_custom_command", "custom_command=show version")
    assert printed.stdout.startswith("Cisco IOS Software, Catalyst 4500 L3 Switch")
    assert "cisco WS-C4506-E (MPC8548) processor" in printed.stdout


def test_a_refused_password_is_one_clear_line(shelldock: Shelldock, switch: Switch) -> None:
    shelldock.add("sw-locked", switch.address, Password="wrong")
    ended = shelldock.run(
        "execute", "sw-locked", "run_custom_command", "custom_command=show version", fails=1
    )
    *_, line = ended.stderr.strip().splitlines()  # before it: that the environment was built
    assert "'run_custom_command' failed with SessionManagerException: " in line
    assert "see logs for details" in line
    assert "Authentication failed" in shelldock.run("logs", "sw-locked", "-n", "0").stdout
    assert ended.stdout == ""


def test_passwords_are_nowhere_in_what_is_kept_n5(shelldock: Shelldock) -> None:
    kept = [*Paths.below(shelldock.home).data.glob("shelldock.db*")]
    assert kept
    content = b"".join(file.read_bytes() for file in kept)
    assert b"sw1" in content
    for secret in SECRETS.values():
        assert secret.encode() not in content
    assert "secret" not in shelldock.run("resource", "show", "sw1").stdout


@pytest.mark.parametrize("python", PYTHONS)
def test_the_driver_works_on_python(elsewhere: dict[str, Future[set[str]]], python: str) -> None:
    if python not in elsewhere:
        pytest.skip(f"there is no Python {python} on this machine")
    assert set(PORTS) <= elsewhere[python].result()


# ---- with a host that stays ---------------------------------------------------------------------


@pytest.mark.usefixtures("discovered")
def test_a_second_discovery_finds_the_same_again_n3(host: Host, shelldock: Shelldock) -> None:
    before = shelldock.kept("sw1")
    host.discover("sw1")
    for first, second in zip(before, shelldock.kept("sw1"), strict=True):
        for fact in ("name", "address", "unique_identifier", "excluded"):
            assert first[fact] == second[fact]


def test_a_health_check_sets_the_live_status_a2_n6(host: Host, shelldock: Shelldock) -> None:
    for name, status in (("sw1", "Online"), ("sw-away", "Error")):
        host.execute(name, "health_check")
        assert shelldock.kept(name)[0]["status"] == status


def test_save_copies_the_configuration_and_restore_brings_it_back(
    host: Host, switch: Switch
) -> None:
    where = {"folder_path": "ftp://backup:pw@127.0.0.1/backups"}
    name = host.execute("sw1", "save", {**where, "configuration_type": "Running"}).result or ""
    assert re.fullmatch(r"sw1-running-\d{6}-\d{6}", name)
    assert "hostname access-1\n" in switch.saved(name)
    configure(host, "hostname renamed")
    assert "hostname renamed" in ask(host, "show running-config | include hostname")
    host.execute("sw1", "restore", {"path": f"ftp://backup:pw@127.0.0.1/backups/{name}"})
    assert "hostname access-1" in ask(host, "show running-config | include hostname")


def test_what_orchestration_save_returns_is_what_orchestration_restore_takes_n10(
    host: Host, switch: Switch
) -> None:
    saved = host.execute("sw1", "orchestration_save", {"mode": "shallow"}).result or ""
    artifact = json.loads(saved)["saved_artifacts_info"]["saved_artifact"]
    assert artifact["artifact_type"] == "ftp"
    assert "interface GigabitEthernet2/1" in switch.saved(artifact["identifier"].rpartition("/")[2])
    host.execute("sw1", "orchestration_restore", {"saved_artifact_info": saved})


def test_what_the_switch_refuses_is_the_driver_s_error(host: Host) -> None:
    with pytest.raises(DriverError) as raised:
        host.execute("sw1", "save", {"folder_path": "tftp://127.0.0.1/nowhere"})
    assert raised.value.type == "CiscoConfigurationError"
    assert "No such file or directory" in str(raised.value)
    assert "cisco_configuration_flow.py" in raised.value.trace
    assert "Invalid input" in ask(host, "shw version"), "the instance goes on"


def test_two_commands_at_once_overlap_in_one_instance_q2(host: Host, switch: Switch) -> None:
    """Echoes to an interface that is down begin to be answered only if the other command brings it up meanwhile."""
    configure(host, "interface Loopback0;shutdown")
    with ThreadPoolExecutor() as pool:
        ping = pool.submit(ask, host, "ping 10.99.0.1 repeat 25 timeout 1")
        switch.until_heard("#ping 10.99.0.1 repeat 25")
        configure(host, "interface Loopback0;no shutdown")
        sent = ping.result()
    assert re.search(r"^\.+!+$", sent, re.MULTILINE), sent
    assert len([one for one in host.instances() if one.target == "sw1"]) == 1


def test_vlans_are_set_on_a_discovered_port_and_removed(host: Host) -> None:
    port = "sw1/Chassis 0/Module 2/GigabitEthernet2-3"
    for kind, count in (("setVlan", 1), ("removeVlan", 0)):
        inputs = {"request": connectivity_request(kind, port, "120")}
        answer = host.execute("sw1", "ApplyConnectivityChanges", inputs).result or ""
        (outcome,) = json.loads(answer)["driverResponse"]["actionResults"]
        assert outcome["success"], outcome
        assert outcome["actionId"] == kind
        shown = ask(host, "show running-config interface gi2/3")
        assert shown.count("switchport access vlan 120") == count


def connectivity_request(kind: str, port: str, vlan: str) -> str:
    """One action, as CloudShell's server writes it."""
    service = {"QnQ": "False", "CTag": "", "VLAN ID": vlan, "Virtual Network": ""}
    action = {
        "connectionId": "c1",
        "connectionParams": {
            "vlanId": vlan,
            "mode": "Access",
            "vlanServiceAttributes": [
                {"attributeName": name, "attributeValue": value, "type": "vlanServiceAttribute"}
                for name, value in service.items()
            ],
            "type": "setVlanParameter",
        },
        "connectorAttributes": [],
        "actionId": kind,
        "actionTarget": {"fullName": port, "fullAddress": "CH0/M2/P10", "type": "actionTarget"},
        "customActionAttributes": [],
        "type": kind,
    }
    return json.dumps({"driverRequest": {"actions": [action]}})


def test_firmware_is_loaded_through_a_reload_of_the_switch(host: Host, switch: Switch) -> None:
    (switch.files / "backups/cat4500e-new.bin").write_text("an image")
    host.execute("sw1", "load_firmware", {"path": "ftp://u:p@127.0.0.1/backups/cat4500e-new.bin"})
    assert 'System image file is "flash:/cat4500e-new.bin"' in ask(host, "show version")
