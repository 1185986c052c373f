"""Starts an instance on a server that stands in the same rack as its device."""

from collections.abc import Sequence

from shelldock import Resource, Target, hookimpl
from shelldock.model import Node, Value


class PlaceByRack(Value, frozen=True, kw_only=True):
    """Some devices are reached from within their rack only."""

    attribute: str = "Rack"
    """The resource's attribute that says where it stands, by its short name."""
    label: str = "rack"
    """The node's label that says the same of a server."""

    @hookimpl
    def shelldock_place(self, target: Target, nodes: Sequence[Node]) -> str | None:
        """The server in that rack with the fewest instances; where there is none, the default decides."""
        rack = self._rack(target.resource)
        there = [node for node in nodes if rack and node.labels.get(self.label) == rack]
        nearest = min(there, key=lambda node: (node.instances, node.name), default=None)
        return nearest.name if nearest else None

    def _rack(self, resource: Resource) -> str:
        short = {name.rpartition(".")[2]: value for name, value in resource.attributes.items()}
        return short.get(self.attribute, "")
