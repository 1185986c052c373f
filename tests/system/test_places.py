"""Folders and connections, from the command line with and without a server, and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serving import Machine, Server

from shelldock.client import Client
from shelldock.errors import ConflictError, InputError, NotFoundError
from shelldock.model import Connection


@pytest.fixture(params=["a server", "no server"])
def lab(request: pytest.FixtureRequest) -> Machine:
    """Where a switch ``sw1`` and another one are in the inventory."""
    if request.param == "a server":
        return Machine(request.getfixturevalue("server").home)
    home: Path = request.getfixturevalue("workshop_home")
    return Machine(home)


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url) as client:
        client.login("admin", server.password)
        yield client


def test_a_lab_is_put_in_order_from_the_command_line(lab: Machine) -> None:
    lab("resource", "add", "pdu", "--shell", "box", "--folder", "Lab 1/Power")
    lab("resource", "set", "sw1", "--folder", "Lab 1/Rack 3")
    assert lab.json("resource", "show", "sw1")[0]["folder"] == "Lab 1/Rack 3"
    assert [one["name"] for one in lab.json("resource", "list", "--folder", "Lab 1")] == [
        "pdu",
        "sw1",
    ]
    assert "Lab 1/Power" in lab("resource", "list")
    lab("resource", "move-folder", "Lab 1", "Site/Lab A")
    assert "Site/Lab A/Rack 3" in lab("resource", "show", "sw1")
    code, _, err = lab.run("resource", "move-folder", "Lab 1", "x")
    assert code != 0
    assert "'Lab 1'" in err


def test_what_is_connected_is_shown_at_both_ends(lab: Machine) -> None:
    lab("resource", "connect", "sw1", "sw2", "--weight", "3")
    link = {"resource": "sw1", "other": "sw2", "weight": 3}
    assert lab.json("resource", "connections") == [link]
    assert lab.json("resource", "connections", "sw2") == [
        {"resource": "sw2", "other": "sw1", "weight": 3}
    ]
    assert "Connected to  sw1" in lab("resource", "show", "sw2")
    lab("resource", "add", "pdu", "--shell", "box")
    code, _, err = lab.run("resource", "connect", "pdu", "sw1")
    assert code != 0
    assert "'sw1' is connected to 'sw2' already" in err
    lab("resource", "connect", "pdu", "sw1", "--replace")
    lab("resource", "disconnect", "sw1")
    assert lab.json("resource", "connections") == []


def test_a_client_has_the_same_folders_and_connections(client: Client) -> None:
    inventory = client.inventory
    made = inventory.create("pdu", client.shell("box"), folder="/Power/")
    assert made.folder == "Power"
    inventory.set("sw1", folder="Lab")
    assert inventory.folders() == ["Lab", "Power"]
    assert [one.name for one in inventory.resources("Power")] == ["pdu"]
    assert [one.folder for one in inventory.move_folder("Power", "Lab/Power")] == ["Lab/Power"]
    with pytest.raises(InputError):
        inventory.set("sw1", folder="a//b")
    with pytest.raises(NotFoundError):
        inventory.move_folder("Power", "x")
    link = Connection(resource="sw1", other="pdu")
    assert client.connections.connect("sw1", "pdu") == link
    assert client.connections.below("sw1") == [link]
    with pytest.raises(ConflictError):
        client.connections.connect("pdu", "sw2")
    assert client.connections.connect("pdu", "sw2", replace=True).other == "sw2"
    client.remove("pdu")
    assert client.connections.all() == []
    with pytest.raises(NotFoundError):
        client.connections.disconnect("sw2")
