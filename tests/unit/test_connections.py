"""Each element of the inventory is connected to one other at most, for as long as both are there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shelldock.connections import Connections
from shelldock.errors import ConflictError, InputError, NotFoundError
from shelldock.inventory import Inventory
from shelldock.model import Connection, Shell
from shelldock.store import Store
from shelldock.vault import Vault

SHELL = Shell(name="Switch", model="Switch", path=Path("/nowhere"))


@pytest.fixture
def inventory(store: Store) -> Inventory:
    made = Inventory(store, Vault.ephemeral(), lambda _: SHELL)
    for name in ("sw1", "SW1", "pdu", "server"):
        made.create(name, SHELL)
    made.replace_tree("sw1", report("P1", "P2"))
    return made


@pytest.fixture
def connections(store: Store, inventory: Inventory) -> Connections:
    return Connections(store, inventory.resource)


def report(*ports: str) -> str:
    resources = [
        {
            "name": name,
            "model": "Port",
            "relative_address": name,
            "unique_identifier": f"id of {number}",
        }
        for number, name in enumerate(ports)
    ]
    return json.dumps({"resources": resources, "attributes": []})


def link(resource: str, other: str, weight: int = 10) -> Connection:
    return Connection(resource=resource, other=other, weight=weight)


def test_a_connection_is_seen_from_both_ends(connections: Connections) -> None:
    assert connections.connect("sw1/P1", "pdu", 3) == link("sw1/P1", "pdu", 3)
    connections.connect("SW1", "server")
    assert connections.below("sw1") == [link("sw1/P1", "pdu", 3)]
    assert connections.below("pdu") == [link("pdu", "sw1/P1", 3)]
    assert connections.of(["sw1/P2", "pdu", "sw1/P1"]) == {"pdu": "sw1/P1", "sw1/P1": "pdu"}
    assert connections.all() == [link("SW1", "server"), link("pdu", "sw1/P1", 3)]


def test_an_end_has_one_connection_unless_it_is_replaced(connections: Connections) -> None:
    connections.connect("sw1/P1", "pdu")
    connections.connect("sw1/P2", "server")
    with pytest.raises(ConflictError, match=r"'pdu' is connected to 'sw1/P1' already"):
        connections.connect("server", "pdu", replace=False)
    assert len(connections.all()) == 2
    connections.connect("server", "pdu", replace=True)
    assert connections.all() == [link("pdu", "server")]


def test_the_same_connection_again_has_another_weight(connections: Connections) -> None:
    connections.connect("pdu", "server", 1)
    connections.connect("server", "pdu", 2)
    assert connections.all() == [link("pdu", "server", 2)]


def test_what_cannot_be_connected_is_refused(connections: Connections) -> None:
    with pytest.raises(NotFoundError, match="pdu"):
        connections.connect("sw1", "pdu2")
    with pytest.raises(InputError, match="'sw1' cannot be connected to itself"):
        connections.connect("sw1", "sw1")
    with pytest.raises(InputError, match=r"a weight is a whole number from 0 .*, not -1"):
        connections.connect("sw1", "pdu", -1)
    with pytest.raises(NotFoundError, match="connected to nothing"):
        connections.disconnect("sw1")
    assert connections.all() == []


def test_disconnecting_one_end_frees_both(connections: Connections) -> None:
    connections.connect("sw1/P1", "pdu")
    connections.disconnect("pdu")
    connections.connect("sw1/P1", "server")
    assert connections.all() == [link("server", "sw1/P1")]


def test_what_is_removed_is_connected_to_nothing(
    connections: Connections, inventory: Inventory
) -> None:
    connections.connect("sw1/P1", "pdu")
    connections.connect("SW1", "server")
    inventory.remove("sw1")
    assert connections.all() == [link("SW1", "server")]
    assert connections.of(["pdu"]) == {}


def test_discovery_and_changes_keep_connections_of_what_remains(
    connections: Connections, inventory: Inventory
) -> None:
    connections.connect("sw1/P1", "pdu")
    connections.connect("sw1/P2", "server")
    inventory.set("pdu", address="10.0.0.2", folder="Lab")
    inventory.replace_tree("sw1", report("Renamed", "P2"))
    assert connections.below("sw1") == [link("sw1/P2", "server"), link("sw1/Renamed", "pdu")]


def test_an_end_that_another_host_removed_cannot_be_connected(
    connections: Connections, inventory: Inventory, store: Store
) -> None:
    inventory.resource("pdu")  # it is in memory, and no longer in the store
    Inventory(store, Vault.ephemeral(), lambda _: SHELL).remove("pdu")
    with pytest.raises(NotFoundError, match="somebody removed it meanwhile"):
        connections.connect("sw1", "pdu")
