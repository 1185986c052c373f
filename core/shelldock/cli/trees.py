"""A resource and all below it, as a tree on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from shelldock.model import Resource


def tree(resources: Sequence[Resource]) -> Tree:
    """The first resource with the others below it; parents come before their children."""
    root = Tree(_label(resources[0]), guide_style="dim")
    nodes = {resources[0].name: root}
    for one in resources[1:]:
        parent, _, _ = one.name.rpartition("/")
        nodes[one.name] = nodes[parent].add(_label(one))
    return root


def _label(resource: Resource) -> Text:
    label = Text(resource.name.rpartition("/")[2], style="bold")
    for text, style in ((resource.address, "cyan"), (resource.model, "dim")):
        if text:
            label.append(f"  {text}", style=f"not bold {style}")
    if resource.excluded:
        label.append("  excluded", style="not bold yellow")
    return label
