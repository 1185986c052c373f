"""The environment variables that the user gives to drivers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shelldock.errors import InputError, SettingsError
from shelldock.settings import Settings

RESERVED: Final = {
    "LOG_PATH": "every instance has a folder of its own for its logs; 'shelldock logs' shows what is in it",
    "HOME": "every instance has one of its own",
    "TMPDIR": "every instance has one of its own",
    "TEMP": "every instance has one of its own",
    "TMP": "every instance has one of its own",
    "VIRTUAL_ENV": "it is the environment that the driver runs in",
    "PYTHONHOME": "the environment's Python would not find itself",
}
"""Those that cannot be given, and why. ``PATH`` can: the environment's programs come first all the same."""

OURS: Final = "SHELLDOCK_"


class Variables:
    """What is set for all drivers, for those of single shells, and for this host; the later overrule the earlier (V9).

    :param given: for every driver of this host.

    Raises ``SettingsError`` or ``InputError`` for a name that a variable cannot have, or that is not for the user.
    """

    def __init__(self, settings: Settings, given: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._given = dict(given or {})
        tables = {"instances": settings.instances.variables}
        tables |= {f"shells.{name}": own.variables for name, own in settings.shells.items()}
        for table, variables in tables.items():
            for name, text in variables.items():
                if fault := _fault(name, text):
                    where = settings.source(f"{table}.variables.{name}")
                    raise SettingsError(f"setting '{table}.variables': {fault} (set by: {where})")
        for name, text in self._given.items():
            if fault := _fault(name, text):
                raise InputError(fault)

    def reload(self, settings: Settings) -> None:
        """Use other settings from now on. Raises as when it is made, and then changes nothing."""
        Variables(settings, self._given)
        self._settings = settings

    def of(self, shell: str) -> dict[str, str]:
        """Those for the drivers of a shell."""
        own = self._settings.shells.get(shell)
        return {
            **self._settings.instances.variables,
            **(own.variables if own else {}),
            **self._given,
        }


def _fault(name: str, text: str) -> str:
    if not name or "=" in name or "\0" in name + text:
        return f"{name!r} cannot be the name of a variable, or its value the value of one"
    if name in RESERVED:
        return f"variable {name!r} is not for you to set: {RESERVED[name]}"
    if name.startswith(OURS):
        return f"variable {name!r} is not for you to set: drivers see none of Shelldock's own"
    return ""
