"""Values of a shell's attributes: which there are, what they may be, and which nobody may read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from shelldock.errors import InputError, nearest
from shelldock.model import Attribute, AttributeType, Shell
from shelldock.vault import Vault

_EMPTY: Final[dict[AttributeType, str]] = {"integer": "0", "float": "0", "boolean": "False"}


_FEW: Final = 12
"""As many names as a line of an error can list."""


def defaults(shell: Shell, vault: Vault) -> dict[str, str]:
    """Every attribute of ``shell`` with its default: the declared one, or else 0, False or nothing (P8)."""
    return {one.name: _kept(one, _default(one), vault) for one in shell.attributes}


def given(
    shell: Shell, values: Mapping[str, str], vault: Vault, known: Iterable[str] = ()
) -> dict[str, str]:
    """What somebody sets, by full name, checked and fit to be kept.

    :param values: by full or short name.
    :param known: full names that are attributes as well, though the shell does not declare them: discovery
        brought them.
    :raises InputError: naming the attribute, and what would have worked.
    """
    return dict(_one(shell, name, value, vault, known) for name, value in values.items())


def encrypted(shell: Shell, values: Mapping[str, str], vault: Vault) -> dict[str, str]:
    """What a driver reports of an element, passwords encrypted; other values are taken as they are (N5).

    Passwords are those that the shell declares, and those of sub-resources that are called like one.
    """
    secret = {_last(one.name) for one in shell.attributes if one.type == "password"}
    return {
        name: vault.encrypt(value) if _last(name) in secret else value
        for name, value in values.items()
    }


def _last(name: str) -> str:
    return name.rpartition(".")[2].casefold()


def full_name(shell: Shell, name: str, known: Iterable[str] = ()) -> str:
    """The full name of an attribute that was named in full or in short; ``InputError`` offers the nearest.

    A short name is looked for among ``known`` first (what a sub-resource has), and means the attribute of the
    element itself (``Model.User``) rather than one further down (``Model.Sub.User``).
    """
    folded = name.casefold()
    names = [*known, *(one.name for one in shell.attributes)]
    for one in names:
        if one.casefold() == folded:
            return one
    fitting = [one for one in names if one.casefold().endswith("." + folded)]
    if fitting:
        return min(fitting, key=lambda one: one.count("."))
    raise InputError(f"shell {shell.name!r} has no attribute {name!r}{_offer(shell, name, names)}")


def _offer(shell: Shell, name: str, names: list[str]) -> str:
    short = {one.rpartition(".")[2]: one for one in names}
    close = nearest(name, names) or nearest(name.rpartition(".")[2], short)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    if len(short) > _FEW:
        return f"; it has {len(short)}, `shelldock shell show '{shell.name}'` lists them"
    return f"; it has {', '.join(sorted(short))}" if short else "; it declares none"


def _one(
    shell: Shell, name: str, value: str, vault: Vault, known: Iterable[str]
) -> tuple[str, str]:
    full = full_name(shell, name, known)
    declared = next((one for one in shell.attributes if one.name == full), None)
    if declared is None:
        return full, value
    return full, _kept(declared, _checked(declared, value), vault)


def _default(attribute: Attribute) -> str:
    value = attribute.default or _EMPTY.get(attribute.type, "")
    return value.title() if attribute.type == "boolean" else value


def _kept(attribute: Attribute, value: str, vault: Vault) -> str:
    return vault.encrypt(value) if attribute.type == "password" else value


def _checked(attribute: Attribute, value: str) -> str:
    if attribute.choices and value not in attribute.choices:
        offered = ", ".join(map(repr, attribute.choices))
        raise InputError(f"attribute {attribute.name!r} cannot be {value!r}; it takes {offered}")
    read = _READ.get(attribute.type)
    if read is None:
        return value
    try:
        return read(value.strip())
    except (ValueError, KeyError):
        raise InputError(
            f"attribute {attribute.name!r} is {_KINDS[attribute.type]}, not {value!r}"
        ) from None


def _integer(value: str) -> str:
    return str(int(value))


def _float(value: str) -> str:
    float(value)
    return value


def _boolean(value: str) -> str:
    return {
        "true": "True",
        "yes": "True",
        "1": "True",
        "false": "False",
        "no": "False",
        "0": "False",
    }[value.lower()]


_READ: Final[dict[AttributeType, Callable[[str], str]]] = {
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
}
_KINDS: Final[dict[AttributeType, str]] = {
    "integer": "a whole number",
    "float": "a number",
    "boolean": "True or False",
}
