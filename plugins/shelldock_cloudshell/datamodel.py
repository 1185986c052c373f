"""Reading ``datamodel.xml`` (with ``shellconfig.xml``): what a first-generation shell says of its element."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from shelldock.errors import ShellError
from shelldock.model import Attribute, AttributeType, Discovery, Kind, Value
from shelldock_cloudshell import standards
from shelldock_cloudshell.documents import Attributes, children, descendants, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_TYPES: dict[str, AttributeType] = {
    "string": "string",
    "numeric": "float",
    "boolean": "boolean",
    "password": "password",
    "lookup": "string",
}
_SERVICE_FAMILIES = ("true", "1")
_APP_FAMILY = "generic app family"


class DataModel(Value, frozen=True, kw_only=True):
    """The one model, of those in the file, that a driver is for."""

    name: str
    family: str = ""
    description: str = ""
    kind: Kind = "resource"
    attributes: tuple[Attribute, ...] = ()
    concurrent: bool = False


class _Model:
    """A ``ResourceModel`` and the ``ResourceFamily`` that it stands in."""

    def __init__(self, element: Element, family: Element | None) -> None:
        self.element = element
        self.family = family
        said = Attributes(element)
        self.name = said.get("name")
        self.concurrent = said.holds("supportsconcurrentcommands")
        self.drivers = {_named(one) for one in descendants(element, "drivername")}


def read(path: Path, driver: str, *, wanted: str = "", added: Path | None = None) -> DataModel:
    """The model that the driver called ``driver`` is for, else the one called ``wanted``, else that of ``added``.

    Two models with one driver (a switch and a router) make one shell: the first. Where none of this finds one, a
    model that names any Python driver is taken; where there is none at all, the first family with all attributes.
    Raises ``ShellError`` where a file is malformed.

    :param added: a project's ``shell_model.xml``: models that packing would put into a family of the data model.
    """
    root = _root(path)
    extra = _root(added) if added is not None else None
    roots = [root] if extra is None else [root, extra]
    infos = (_info(one) for each in roots for one in descendants(each, "attributeinfo"))
    known = {one.name: one for one in infos if one.name}
    model = _chosen(root, extra, driver, wanted)
    if model is None:
        family = next(descendants(root, "resourcefamily"), None)
        return _described(driver, None, family, known)
    return _described(model.name, model, model.family, known)


def _root(path: Path) -> Element:
    root = parse_xml(path)
    tag = Attributes(root).tag
    if tag not in ("datamodelinfo", "shellmodel"):
        raise ShellError(path, f"the root element is {tag!r}, not 'DataModelInfo'")
    return root


def drivers(path: Path) -> list[str]:
    """The names of all drivers that models of the file ask for, in their order."""
    names = [_named(one) for one in descendants(parse_xml(path), "drivername")]
    return list(dict.fromkeys(name for name in names if name))


class Template(Value, frozen=True, kw_only=True):
    """What ``shellconfig.xml`` says of the shell of one model."""

    name: str = ""
    model: str = ""
    discovery: Discovery | None = None


def template(path: Path, driver: str) -> Template:
    """The resource template for the driver, else the first; an empty one where the file has none."""
    found = list(descendants(parse_xml(path), "resourcetemplate"))
    exact = [one for one in found if Attributes(one).get("driver") == driver]
    for element in (*exact, *found):
        said = Attributes(element)
        return Template(
            name=said.get("name"), model=said.get("model"), discovery=_discovery(element)
        )
    return Template()


def _discovery(element: Element) -> Discovery | None:
    for one in children(element, "autoload"):
        asked = [Attributes(each).get("name") for each in descendants(element, "attribute")]
        return Discovery(
            enabled=Attributes(one).get("enable").casefold() != "false",
            asks=tuple(name for name in asked if name),
        )
    return None


def _chosen(root: Element, extra: Element | None, driver: str, wanted: str) -> _Model | None:
    own = list(_models(root))
    added = list(_added(root, extra)) if extra is not None else []
    python = {
        Attributes(one).get("name")
        for one in descendants(root, "driverdescriptor")
        if Attributes(one).get("drivertype") == "PythonDriver"
    }
    ranked = [
        *(model for model in (*added, *own) if driver in model.drivers),
        *(model for model in (*added, *own) if wanted and model.name == wanted),
        *added,
        *(model for model in own if model.drivers & python),
    ]
    return ranked[0] if ranked else None


def _models(root: Element) -> Iterator[_Model]:
    for family in descendants(root, "resourcefamily"):
        yield from (_Model(one, family) for one in descendants(family, "resourcemodel"))


def _added(root: Element, extra: Element) -> Iterator[_Model]:
    name = Attributes(extra).get("family")
    families = descendants(root, "resourcefamily")
    family = next((one for one in families if Attributes(one).get("name") == name), None)
    yield from (_Model(one, family) for one in descendants(extra, "resourcemodel"))


def _described(
    name: str, model: _Model | None, family: Element | None, known: Mapping[str, Attribute]
) -> DataModel:
    sources = [one for one in (family, model.element if model else None) if one is not None]
    said = Attributes(family) if family is not None else None
    attached = tuple(_attributes(sources, known))
    return DataModel(
        name=name,
        family=said.get("name") if said else "",
        description=Attributes(model.element).get("description") if model else "",
        kind=_kind(said),
        attributes=attached if model else attached or tuple(known.values()),
        concurrent=model.concurrent if model else False,
    )


def _kind(family: Attributes | None) -> Kind:
    if family is None:
        return "resource"
    if family.get("isservice").casefold() in _SERVICE_FAMILIES:
        return "service"
    return "app" if family.get("name").casefold() == _APP_FAMILY else "resource"


# ---- attributes ---------------------------------------------------------------------------------


def _attributes(sources: list[Element], known: Mapping[str, Attribute]) -> Iterator[Attribute]:
    """Those attached to the family and to the model, with the values that they set; names are bare (P4)."""
    names: dict[str, None] = {}
    values: dict[str, str] = {}
    for source in sources:
        for group in children(source, "attachedattributes"):
            names |= dict.fromkeys(Attributes(one).get("name") for one in group)
        for group in children(source, "attributevalues"):
            values |= {Attributes(one).get("name"): Attributes(one).get("value") for one in group}
    for name in filter(None, names):
        info = known.get(name, Attribute(name=name))
        given = values.get(name)
        # What CloudShell encrypted can be read by nobody else, so it is no default here.
        changed = given and info.type != "password"
        yield replace(info, default=standards.default(info.type, given)) if changed else info


def _info(element: Element) -> Attribute:
    said = Attributes(element)
    type_ = _TYPES.get(said.get("type").casefold(), "string")
    choices = [Attributes(one).get("value") for one in descendants(element, "lookupvalue")]
    rules = [Attributes(one).get("name") for one in descendants(element, "rule")]
    return Attribute(
        name=said.get("name"),
        type=type_,
        default="" if type_ == "password" else standards.default(type_, said.get("defaultvalue")),
        description=said.get("description"),
        choices=tuple(one for one in choices if one),
        tags=tuple(one.casefold().replace(" ", "_") for one in rules if one),
    )


def _named(element: Element) -> str:
    return (Attributes(element).get("name") or element.text or "").strip()
