"""Parses YAML as people mean it: what is written is text, and what would fill the memory is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from shelldock.errors import ShellError

MOST_NODES: Final = 100_000
"""Nodes in one document with all of its aliases written out; real ones have some hundred."""


class _Loader(yaml.SafeLoader):
    """Leaves text as it stands, but for null: ``1.10`` is a version, ``No`` an answer, and ``on`` a name."""


_Loader.yaml_implicit_resolvers = {
    first: [one for one in resolvers if one[0].endswith((":null", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(path: Path, text: str) -> dict[str, object]:
    """The mapping that ``text``, the content of ``path``, is. Raises ``ShellError``; see ``documents.parse_yaml``."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None and _expanded(node, {}) > MOST_NODES:
            raise ShellError(
                path, f"expands to more than {MOST_NODES} values, as only a YAML bomb does"
            )
        document = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line, column = _where(error)
        raise ShellError(path, f"not well-formed YAML: {_why(error)}", line, column) from error
    except (yaml.YAMLError, ValueError) as error:  # a date or number that is none, an odd character
        raise ShellError(path, f"not well-formed YAML: {_one_line(error)}") from error
    except RecursionError as error:
        raise ShellError(path, "not readable YAML: nested too deep") from error
    if not isinstance(document, dict):
        raise ShellError(path, "not a YAML mapping")
    return {str(key): value for key, value in document.items()}


def _expanded(node: yaml.Node, known: dict[int, int]) -> int:
    """How many nodes there would be without aliases; one that contains itself counts as too many."""
    if id(node) not in known:
        known[id(node)] = MOST_NODES + 1
        known[id(node)] = 1 + sum(_expanded(child, known) for child in _below(node))
    return known[id(node)]


def _below(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _why(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    reason = error.problem or error.context or "malformed"
    return f"{reason} at line {mark.line + 1}, column {mark.column + 1}" if mark else reason


def _where(error: yaml.MarkedYAMLError) -> tuple[int, int]:
    mark = error.problem_mark or error.context_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
