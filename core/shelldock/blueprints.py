"""Blueprints: what a sandbox is made of, as people write it in YAML or JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from shelldock.errors import InputError
from shelldock.model import Value

if TYPE_CHECKING:
    import yaml

LONGEST: Final = 1024 * 1024
"""Characters of a blueprint."""

_DURATION: Final = re.compile(r"(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+)s)?")
_SECONDS: Final = (86400, 3600, 60, 1)
_PLACE: Final = re.compile(r" - at `\$?(.*)`$")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Attributes = dict[str, str | int | float | bool]


class Use(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A root resource of the inventory that the sandbox uses."""

    name: Annotated[Name, msgspec.Meta(description="Name of a root resource of the inventory.")]
    shared: Annotated[
        bool,
        msgspec.Meta(description="Whether other sandboxes may use it, too, sharing it as well."),
    ] = False


class App(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An app that is deployed already: each sandbox has a driver instance of its own for it."""

    name: Annotated[Name, msgspec.Meta(description="What commands call it by, in this sandbox.")]
    shell: Annotated[Name, msgspec.Meta(description="Name of an installed shell.")]
    address: Annotated[str, msgspec.Meta(description="Where it is.")] = ""
    resource: Annotated[
        str,
        msgspec.Meta(
            description="In place of the address: the resource of the inventory that it is."
        ),
    ] = ""
    attributes: Annotated[
        Attributes,
        msgspec.Meta(description="By full or short name; the others have the shell's defaults."),
    ] = msgspec.field(default_factory=dict)


class ServiceUse(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service: a driver of the sandbox's own that stands for no device."""

    name: Annotated[Name, msgspec.Meta(description="What commands call it by, in this sandbox.")]
    shell: Annotated[Name, msgspec.Meta(description="Name of an installed shell.")]
    attributes: Annotated[
        Attributes,
        msgspec.Meta(description="By full or short name; the others have the shell's defaults."),
    ] = msgspec.field(default_factory=dict)


class Blueprint(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What sandboxes are made from."""

    name: Annotated[Name, msgspec.Meta(description="What its sandboxes are called by default.")]
    description: str = ""
    duration: Annotated[
        str | float | None,
        msgspec.Meta(
            description="When its sandboxes end by themselves: '2h', '1d 12h', '90m', or seconds."
        ),
    ] = None
    resources: tuple[Use, ...] = ()
    apps: tuple[App, ...] = ()
    services: tuple[ServiceUse, ...] = ()


def read(text: str, source: str = "the blueprint") -> Blueprint:
    """The blueprint that is written in ``text``, YAML or JSON.

    :param source: what errors call it; a file's path.

    Raises ``InputError`` with the line where it is none.
    """
    if len(text) > LONGEST:
        raise InputError(f"{source} is too long: a blueprint has at most {LONGEST} characters")
    import yaml  # only who has a blueprint needs it

    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise InputError(
            f"cannot read {source}{where}: {error.problem or 'it is not YAML'}"
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"cannot read {source}: {' '.join(str(error).split())}") from None
    return convert(data, source, tree)


def convert(
    data: object, source: str = "the blueprint", tree: yaml.Node | None = None
) -> Blueprint:
    """The blueprint in plain data. Raises ``InputError``."""
    try:
        blueprint = msgspec.convert(data, Blueprint)
    except msgspec.ValidationError as error:
        message = str(error)
        found = _PLACE.search(message)
        place = found[1].lstrip(".") if found else ""
        said = message[: found.start()] if found else message
        line = f", line {_line(tree, place)}" if tree is not None else ""
        raise InputError(
            f"cannot read {source}{line}: {said[:1].lower()}{said[1:]}{f' in {place}' if place else ''}"
        ) from None
    return check(blueprint, source)


def check(blueprint: Blueprint, source: str = "the blueprint") -> Blueprint:
    """The blueprint, if it can be one. Raises ``InputError``."""
    seconds(blueprint.duration)
    _refuse_twice(source, "resource", (one.name for one in blueprint.resources))
    own = [one.name for one in blueprint.apps] + [one.name for one in blueprint.services]
    _refuse_twice(source, "app or service", own)
    for app in blueprint.apps:
        if app.address and app.resource:
            raise InputError(
                f"cannot read {source}: app {app.name!r} has an address and a resource; give one of them"
            )
    return blueprint


def seconds(duration: str | float | None) -> float | None:
    """A duration as people write it, in seconds; None: no end. Raises ``InputError``."""
    if duration is None:
        return None
    if isinstance(duration, str):
        found = _DURATION.fullmatch(duration.strip())
        given = found.groups() if found else ()
        total = sum(int(n or 0) * unit for n, unit in zip(given, _SECONDS, strict=False))
        if not total:
            raise InputError(
                f"{duration!r} is no duration; write it as '2h', '1d 12h', '90m', '45s', or as seconds"
            )
        return float(total)
    if not 0 < duration < float("inf"):
        raise InputError(f"a duration is more than 0 seconds, not {duration:g}")
    return float(duration)


def text(values: Attributes) -> dict[str, str]:
    """Attributes as drivers see them: all are text, and truth is ``True`` or ``False``."""
    return {name: str(value) for name, value in values.items()}


def schema() -> dict[str, Any]:
    """The JSON schema of blueprints, for editors."""
    made = msgspec.json.schema(Blueprint)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Shelldock blueprint",
    } | made


def _refuse_twice(source: str, kind: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise InputError(f"cannot read {source}: {kind} {name!r} is there twice")
        seen.add(name.casefold())


def _line(node: yaml.Node | None, place: str) -> int:
    """The line of the deepest part of ``place`` (``apps[0].shell``) that is there."""
    if node is None:
        return 1
    import yaml

    line = node.start_mark.line
    for part in re.findall(r"[^.\[\]]+", place):
        if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        else:
            break
        if node is None:
            break
        line = node.start_mark.line
    return line + 1
