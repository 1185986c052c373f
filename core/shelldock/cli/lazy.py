"""Commands whose modules are imported when they are called, not when the command line starts."""

from __future__ import annotations

import logging
import os
from importlib import import_module
from typing import TYPE_CHECKING, Final

import typer
from typer.core import TyperCommand, TyperGroup

from shelldock.cli.importing import undisturbed
from shelldock.errors import NotFoundError, ShelldockError
from shelldock.paths import Paths

if TYPE_CHECKING:
    from typer._click import Command, Context
    from typer._click.formatting import HelpFormatter

log = logging.getLogger(__name__)

COMMANDS: Final = {
    "run": ("run", "Run one command of a shell, once, without keeping anything."),
    "shell": ("shells", "Add, list, show, check and remove shells."),
    "resource": ("resources", "Add, list, show, change, move, connect and remove resources."),
    "execute": ("execute", "Run one command of a resource of the inventory."),
    "attach": ("attach", "Follow a command that runs on a server, to its end."),
    "discover": ("discover", "Let a resource's driver find its sub-resources, and keep them."),
    "sandbox": ("sandboxes", "Start, list, show, extend and end sandboxes."),
    "ps": ("ps", "List the driver instances of a server, or of all hosts that are open."),
    "queue": ("waiting", "List the commands that wait, and why."),
    "executions": ("executions", "List what runs, and what has ended."),
    "top": ("top", "Watch instances, queues and executions."),
    "cancel": ("cancel", "Cancel a command that waits or runs."),
    "instance": ("instances", "Show, stop, terminate, reset and retry driver instances."),
    "logs": ("logs", "Show what driver instances wrote."),
    "env": ("environments", "List, build, export, import and remove the environments of drivers."),
    "login": ("login", "Log in at a server, and ask it from now on."),
    "logout": ("logout", "Log out at a server."),
    "user": ("users", "Add, list, show, change and remove users."),
    "token": ("tokens", "Create, list and revoke tokens."),
    "audit": ("audit", "Show who changed what through the server, newest first."),
    "backup": ("backup", "Write all that must survive into one file."),
    "restore": ("restore", "Put back what a backup holds."),
    "plugins": ("plugins", "List the plugins, what they answer, and what is wrong with them."),
}
"""For each command: its module in this package, and what the list of commands says of it."""

ASK_A_SERVER: Final = (
    *("attach", "audit", "cancel", "discover", "env", "execute", "executions", "instance", "logs"),
    *("plugins", "ps", "queue", "resource", "sandbox", "shell", "token", "top", "user"),
)
"""Those for which ``--server`` says something."""


class LazyGroup(TyperGroup):
    """Our commands, then those that plugins add (hook ``shelldock_commands``)."""

    def list_commands(self, ctx: Context) -> list[str]:
        """The names, ours first."""
        return [*COMMANDS, *self._of_plugins()]

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """What the list of commands shows: for ours, only a name and a sentence."""
        if cmd_name in COMMANDS:
            return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])
        return self._of_plugins().get(cmd_name)

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, Command | None, list[str]]:
        """The command that is called; its module is imported here."""
        name = args[0]
        command = _imported(name) if name in COMMANDS else self._of_plugins().get(name)
        if command is None and not ctx.resilient_parsing:
            ctx.fail(str(NotFoundError("command", name, self.list_commands(ctx))))
        return name, command, args[1:]

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Draw the help as Typer does, whose imports for it take half of the time."""
        with undisturbed():
            super().format_help(ctx, formatter)

    def _of_plugins(self) -> dict[str, Command]:
        if not self.commands:
            self.commands = _contributed()
        return dict(self.commands)


def _imported(name: str) -> Command:
    with undisturbed():
        module = import_module(f"shelldock.cli.{COMMANDS[name][0]}")
    app: typer.Typer = module.app
    command = typer.main.get_command(app)
    command.name = name
    return command


def _contributed() -> dict[str, Command]:
    """What plugins add; nothing where the settings cannot be read, which other commands will say."""
    plugins = import_module("shelldock.plugins")
    settings = import_module("shelldock.settings")
    more = typer.Typer()
    try:
        read = settings.load(Paths.default(os.environ).settings, os.environ)
        with undisturbed():
            plugins.Plugins(read).commands(more)
    except ShelldockError as error:
        log.warning("commands of plugins are missing: %s", error)
    if not more.registered_commands and not more.registered_groups:
        return {}
    more.callback()(lambda: None)  # keeps a single command a member of a group
    group = typer.main.get_group(more)
    return {name: command for name, command in group.commands.items() if name not in COMMANDS}
