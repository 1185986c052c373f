"""Reading ``shell-definition.yaml``: what a second-generation shell says of its kind of element."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from shelldock.errors import ShellError
from shelldock.model import Attribute, AttributeType, Discovery, Kind, Value
from shelldock_cloudshell import standards
from shelldock_cloudshell.documents import parse_yaml

FILE = "shell-definition.yaml"

_TYPES: dict[str, AttributeType] = {
    "string": "string",
    "integer": "integer",
    "float": "float",
    "numeric": "float",
    "boolean": "boolean",
    "list": "list",
    "password": "password",
}
_OF_DISCOVERY_ITSELF = (
    "enable_auto_discovery",
    "auto_discovery_description",
    "inventory_description",
    "hide_address",
)


class Definition(Value, frozen=True, kw_only=True):
    """What the file says; ``artifact`` is the file name of the driver's archive, empty where there is none."""

    name: str
    version: str = ""
    author: str = ""
    description: str = ""
    model: str
    family: str
    kind: Kind
    attributes: tuple[Attribute, ...] = ()
    concurrent: bool = False
    drops_attributes: bool = False
    discovery: Discovery | None = None
    artifact: str = ""


def read(path: Path, cache: Path) -> Definition:
    """Read the definition. The standards that it imports are never looked for (P6).

    Raises ``ShellError``, naming what is missing or malformed.
    """
    document = parse_yaml(path, cache)
    metadata = _mapping(document.get("metadata"))
    name = _text(metadata.get("template_name"))
    if not name:
        raise ShellError(path, "has no metadata.template_name, which is the shell's name")
    nodes = _mapping(document.get("node_types"))
    key = _chosen(path, nodes)
    node = _inherited(path, nodes, key)
    model = key.rpartition(".")[2].strip()
    capabilities = _mapping(node.get("capabilities"))
    base = standards.standard(_text(node.get("derived_from")))
    return Definition(
        name=name,
        version=_text(metadata.get("template_version")),
        author=_text(metadata.get("template_author")),
        description=_text(document.get("description")),
        model=model,
        family=base.family,
        kind=base.kind,
        attributes=_attributes(
            standards.attributes(base, model, plain_snmp=_plain_snmp(document)),
            _mapping(node.get("properties")),
            model,
        ),
        concurrent=_capability(capabilities, "SupportConcurrentCommands") is not None,
        drops_attributes=_drops_attributes(_capability(capabilities, "DeprecateProperties")),
        discovery=_discovery(_capability(capabilities, "AutoDiscovery")),
        artifact=_text(_mapping(_mapping(node.get("artifacts")).get("driver")).get("file")),
    )


# ---- the node type ------------------------------------------------------------------------------


def _chosen(path: Path, nodes: Mapping[str, object]) -> str:
    """The node type that is the shell: a vendor's own, rather one with a driver."""
    own = [key for key in nodes if key.lower().startswith("vendor.")] or list(nodes)
    if not own:
        raise ShellError(path, "has no node_types, so it describes no element")
    with_driver = (
        key for key in own if "driver" in _mapping(_mapping(nodes[key]).get("artifacts"))
    )
    return next(with_driver, own[0])


def _inherited(path: Path, nodes: Mapping[str, object], key: str) -> dict[str, object]:
    """The node type with what it takes from others of the same file; ``derived_from`` leads out of it."""
    chain = [key]
    while (base := _text(_mapping(nodes[chain[-1]]).get("derived_from"))) in nodes:
        if base in chain:
            raise ShellError(path, f"node type {base!r} is derived from itself")
        chain.append(base)
    node: dict[str, object] = {}
    for one in reversed(chain):
        for part, value in _mapping(nodes[one]).items():
            known = node.get(part)
            both = isinstance(known, dict) and isinstance(value, dict)
            node[part] = _mapping(known) | _mapping(value) if both else value
    node["derived_from"] = base
    return node


def _capability(capabilities: Mapping[str, object], type: str) -> Mapping[str, object] | None:
    """The capability of this type, whatever its key (P9)."""
    for one in capabilities.values():
        capability = _mapping(one)
        if _text(capability.get("type")).rpartition(".")[2] == type:
            return capability
    return None


def _discovery(capability: Mapping[str, object] | None) -> Discovery | None:
    if capability is None:
        return None
    properties = _mapping(capability.get("properties"))
    return Discovery(
        enabled=_flag(properties.get("enable_auto_discovery"), absent=True),
        asks=tuple(name for name in properties if name not in _OF_DISCOVERY_ITSELF),
        hides_address=_flag(properties.get("hide_address"), absent=False),
    )


def _drops_attributes(capability: Mapping[str, object] | None) -> bool:
    if capability is None:
        return False
    properties = _mapping(capability.get("properties"))
    return _flag(properties.get("allow_deprecate_properties"), absent=True)


def _flag(property: object, *, absent: bool) -> bool:
    given = _mapping(property).get("default")
    return absent if given is None else standards.truth(given)


# ---- attributes ---------------------------------------------------------------------------------


def _attributes(
    known: list[Attribute], properties: Mapping[str, object], model: str
) -> tuple[Attribute, ...]:
    """Those of the standard, changed by the shell's own, then the others of the shell.

    ``<SubModel>.<attribute>`` speaks of a sub-resource's model and is none of this element's.
    """
    found = {one.name: one for one in known}
    short = {one.name.removeprefix(f"{model}.").rpartition(".")[2]: one.name for one in known}
    for key, said in properties.items():
        if "." not in key:
            name = short.get(key, f"{model}.{key}")
            found[name] = _attribute(name, _mapping(said), found.get(name))
    return tuple(found.values())


def _attribute(name: str, said: Mapping[str, object], standard: Attribute | None) -> Attribute:
    declared = _text(said.get("type")).rpartition(".")[2].casefold()
    # The type of a standard's attribute cannot be changed by a shell, its default and tags can.
    type_ = standard.type if standard else _TYPES.get(declared, "string")
    given = said.get("default")
    inherited = standard.default if standard and "default" not in said else None
    return Attribute(
        name=name,
        type=type_,
        default=inherited if inherited is not None else standards.default(type_, given),
        description=_text(said.get("description")),
        choices=_choices(said.get("constraints")) or (standard.choices if standard else ()),
        tags=_tags(said.get("tags"), standard),
    )


def _tags(said: object, standard: Attribute | None) -> tuple[str, ...]:
    if isinstance(said, list):
        return tuple(_text(one) for one in said)
    return standard.tags if standard else ("setting", "configuration")


def _choices(constraints: object) -> tuple[str, ...]:
    for one in constraints if isinstance(constraints, list) else [constraints]:
        values = _mapping(one).get("valid_values")
        if isinstance(values, list):
            return tuple(str(value) for value in values if value is not None)
    return ()


def _plain_snmp(document: Mapping[str, object]) -> bool:
    imports = document.get("imports")
    entries = imports if isinstance(imports, list) else [imports]
    files = [_text(file) for entry in entries for file in _mapping(entry).values()]
    return any(standards.plain_snmp(file) for file in files)


# ---- tolerance ----------------------------------------------------------------------------------


def _mapping(value: object) -> dict[str, object]:
    return {str(key): one for key, one in value.items()} if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return "" if value is None else re.sub(r"\s+", " ", str(value)).strip()
