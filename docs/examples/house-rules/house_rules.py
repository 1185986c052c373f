"""Rules of one house for the shells that are written in it."""

import re

from shelldock import hookimpl
from shelldock.model import Finding, Value


class HouseRules(Value, frozen=True, kw_only=True):
    """Wants commands to be described and to be named alike; its fields are the settings."""

    name: str = "[a-z][a-z0-9_]*"
    """A regular expression that names of commands match."""
    except_for: tuple[str, ...] = (
        "ApplyConnectivityChanges",
        "Deploy",
        "PowerOn",
        "PowerOff",
        "PowerCycle",
    )
    """Commands that are called as CloudShell wants them to be."""
    hidden: bool = False
    """Whether hidden commands are to be described too."""

    @hookimpl
    def shelldock_check_shell(self, shell):
        """Answer for every shell that can be read; the others have their finding already."""
        if shell is None or shell.driver is None:
            return None
        place = shell.driver.source / "drivermetadata.xml"
        return [
            Finding(path=place, rule=rule, severity="warning", message=message)
            for command in shell.driver.commands
            if command.declared
            for rule, message in self._broken(command)
        ]

    def _broken(self, command):
        if not command.description and (self.hidden or not command.hidden):
            yield (
                "undescribed-command",
                f"command {command.name!r} has no description, so users guess what it does; add one",
            )
        if command.name not in self.except_for and not re.fullmatch(self.name, command.name):
            yield (
                "odd-name",
                f"command {command.name!r} is not named as ours are ({self.name}); rename it, or "
                "except it in the settings",
            )
