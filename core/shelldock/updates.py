"""Which updates of an installed shell are refused."""

from __future__ import annotations

from shelldock.errors import ConflictError
from shelldock.model import Shell


def refuse_lower(shell: Shell, version: str) -> None:
    """Raise ``ConflictError`` where ``version``, which is installed, is higher than the shell's (P10)."""
    from packaging.version import InvalidVersion, Version  # only who changes shells needs it

    try:
        lower = Version(shell.version) < Version(version)
    except InvalidVersion:
        return  # names without an order: nobody can say that it went down
    if lower:
        raise ConflictError(
            f"shell {shell.name!r} {version} is there and {shell.version} is lower; "
            "force it to go back"
        )


def refuse_removal(shell: Shell, installed: Shell) -> None:
    """Raise ``ConflictError`` where the shell lacks attributes of the installed one, unless it says it may (P11)."""
    if shell.drops_attributes:
        return
    kept = {one.name for one in shell.attributes}
    missing = [one.name for one in installed.attributes if one.name not in kept]
    if missing:
        raise ConflictError(
            f"shell {shell.name!r} cannot be updated: removing attributes from an existing shell is not supported; "
            "the following attributes are missing from the new shell definition: "
            f"{', '.join(map(repr, missing))}; deprecate them, or force it to drop them"
        )
