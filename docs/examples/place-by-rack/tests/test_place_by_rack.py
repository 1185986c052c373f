"""Once the plugin is installed, instances start in the rack of their device."""

from __future__ import annotations

from pathlib import Path

from shelldock.model import Node, Resource, Shell, Target
from shelldock.plugins import Plugins
from shelldock.settings import load

NODES = (
    Node(name="ann", labels={"rack": "6"}),
    Node(name="bob", labels={"rack": "7"}, instances=5),
    Node(name="cid", labels={"rack": "7"}, instances=3),
    Node(name="dan", labels={"room": "7"}),
)


def place(attributes: dict[str, str], **variables: str) -> str:
    """The answer of all plugins that are installed here, ours among them."""
    switch = Target(resource=Resource(name="sw1", attributes=attributes))
    return Plugins(load(None, variables)).place(Shell(name="Box", path=Path()), switch, NODES)


def test_the_instance_starts_in_the_rack_of_its_device() -> None:
    assert place({"Box.Rack": "6"}) == "ann"


def test_of_two_servers_in_the_rack_the_one_with_fewer_instances_is_taken() -> None:
    assert place({"Box.Rack": "7"}) == "cid"


def test_attribute_and_label_may_have_other_names() -> None:
    names = {"ATTRIBUTE": "Place", "LABEL": "room"}
    settings = {f"SHELLDOCK_PLUGINS__PLACE_BY_RACK__{key}": name for key, name in names.items()}
    assert place({"Place": "7"}, **settings) == "dan"


def test_where_no_server_stands_in_the_rack_the_default_decides() -> None:
    assert place({"Box.Rack": "8"}) == place({"Box.Rack": ""}) == place({}) == "ann"
