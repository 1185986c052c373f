"""A resource and all below it, as a tree on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text
from rich.tree import Tree

from shelldock.model import Resource


def tree(resources: Sequence[Resource], news: Mapping[str, str] | None = None) -> Tree:
    """The first resource with the others below it; parents come before their children.

    :param news: a word about those that are in another way than before, by name.
    """
    news = news or {}
    root = Tree(_label(resources[0], ""), guide_style="dim")
    nodes = {resources[0].name: root}
    for one in resources[1:]:
        parent, _, _ = one.name.rpartition("/")
        nodes[one.name] = nodes[parent].add(_label(one, news.get(one.name, "")))
    return root


def _label(resource: Resource, news: str) -> Text:
    label = Text(resource.name.rpartition("/")[2], style="bold")
    for text, style in ((resource.address, "cyan"), (resource.model, "dim")):
        if text:
            label.append(f"  {text}", style=f"not bold {style}")
    for text, style in (("excluded" if resource.excluded else "", "yellow"), (news, "green")):
        if text:
            label.append(f"  {text}", style=f"not bold {style}")
    return label
