"""On which node an instance starts: the one with the most free slots."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shelldock.hookspecs import hookimpl
from shelldock.model import Node


@hookimpl(trylast=True)
def shelldock_place(nodes: Sequence[Node]) -> str | None:
    """The node with the most free slots; of equals the one with fewest instances, then the first by name (E2)."""
    best = min(nodes, key=lambda node: (-_free(node), node.instances, node.name), default=None)
    return best.name if best else None


def _free(node: Node) -> float:
    return node.slots - node.instances if node.slots else math.inf
