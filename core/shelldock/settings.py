"""What the user may set: the settings file (TOML) and variables called ``SHELLDOCK_…``, typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec

from shelldock.errors import SettingsError
from shelldock.model import NO_LIMIT, Limit
from shelldock.typed import Table, convert, offer

PREFIX: Final = "SHELLDOCK_"
DEFAULT: Final = "default"

NAMES: Final = ("instances", "variables")
"""The table whose names are the user's own: there, case counts."""

NOT_SETTINGS: Final = frozenset({"HOME", "SERVER", "TOKEN"})
"""Names after the prefix that are read elsewhere."""

T = TypeVar("T")
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long each thing may take, in seconds; ``inf`` is no limit."""

    build: Seconds = 1800.0
    """Resolving and installing what a driver needs, together."""
    start: Seconds = 120.0
    """Until a driver's process has imported its driver."""
    initialize: Seconds = 600.0
    """The driver's ``initialize``."""
    pending: Seconds = 600.0
    """A command that waits for its turn."""
    command: Seconds = NO_LIMIT
    """A command that runs."""
    cancel_grace: Seconds = 30.0
    """Between asking a driver to cancel and ending its process."""
    cleanup: Seconds = 30.0
    """The driver's ``cleanup``."""
    host_lost: Seconds = 3.0
    """What an instance has for its ``cleanup`` once the host is gone."""
    backoff: Seconds = 60.0
    """The longest pause before the next start of a driver that failed to start three times in a row or more."""
    broken: Seconds = 600.0
    """How long a broken instance refuses commands before one of them may try to start it again."""
    fork_server: Seconds = 600.0
    """How long a fork server without instances stays."""
    result_bytes: Annotated[int, msgspec.Meta(ge=1)] = 100 * 2**20
    """The size of a command's result, in bytes of UTF-8."""


class EnvironmentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How environments are kept. How they are made is up to the plugin that makes them."""

    validity: Seconds = 480 * 60.0
    """Seconds for which a resolution is used before the index is asked again."""
    unused_after: Seconds = 14 * 86400.0
    """Seconds after its last use at which an environment is removed."""


class InstanceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How instances are made."""

    fresh: bool = False
    """A fresh interpreter for each, instead of a fork of one that has imported the driver."""
    queue: Annotated[int, msgspec.Meta(ge=0)] = 1000
    """How many commands may wait for one instance; 0: any number."""
    start_attempts: Annotated[int, msgspec.Meta(ge=0)] = 10
    """After how many failed starts in a row an instance is broken; 0: never."""
    variables: dict[str, str] = {}
    """Environment variables for every driver."""
    merge_memory: bool = False
    """Let the kernel keep equal pages once, where its KSM runs (Linux 6.4 and later)."""


class OwnLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that a single shell or resource may have for itself, in seconds; None: as everybody."""

    initialize: Seconds | None = None
    pending: Seconds | None = None
    command: Seconds | None = None
    cancel_grace: Seconds | None = None
    cleanup: Seconds | None = None


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What is set for a single shell or resource."""

    limits: OwnLimits = OwnLimits()


class OwnOfShell(Own, frozen=True, kw_only=True):
    """What is set for a single shell."""

    variables: dict[str, str] = {}
    """Environment variables for its drivers."""


class NodeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What others know of this machine, and how much it takes."""

    name: str = ""
    """How it is called among the machines that it joins; empty: its host name."""
    labels: dict[str, str] = {}
    """What plugins may choose it by: where it stands, what it reaches."""
    slots: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many instances it takes; 0 is no limit."""


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the logs of instances are kept."""

    max_bytes: Annotated[int, msgspec.Meta(ge=1024)] = 10 * 2**20
    """The size in bytes from which an instance's log is continued in a new file."""
    keep: Annotated[int, msgspec.Meta(ge=1)] = 5
    """How many older files of an instance's log stay."""
    unused_after: Seconds = 14 * 86400.0
    """Seconds after its last line at which the log of an instance that has ended is removed."""


class HistorySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a server keeps what became of commands."""

    unused_after: Seconds = 90 * 86400.0
    """Seconds after its end at which an execution is removed."""
    most: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many executions are kept at most, the newest; 0: any number."""


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is kept that must survive."""

    url: str = ""
    """A database URL, ``postgresql://user:password@host/database``; empty: a file in the data folder."""

    def __repr__(self) -> str:
        """Nothing of it, as there may be a password."""
        return "StoreSettings(…)"


class Settings(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything that can be set; made by ``load``, or in code with the defaults for what is not given."""

    limits: Limits = Limits()
    environments: EnvironmentSettings = EnvironmentSettings()
    instances: InstanceSettings = InstanceSettings()
    logs: LogSettings = LogSettings()
    history: HistorySettings = HistorySettings()
    node: NodeSettings = NodeSettings()
    store: StoreSettings = StoreSettings()
    shells: dict[str, OwnOfShell] = {}
    """For single shells, by name."""
    resources: dict[str, Own] = {}
    """For single resources, apps and services, by the name of the root; they come before their shells."""
    fabric: str = "local"
    """The engine that joins machines; plugins offer more."""
    control: bool = True
    """Whether the command line may see a host that is open, and end what it does."""
    plugins: dict[str, dict[str, object]] = {}
    """For each plugin, by its entry point's name, what its class's fields are set to."""
    sources: dict[str, str] = {}
    """Where each setting that is not a default was set, by dotted name. Filled by ``load``."""

    def source(self, name: str) -> str:
        """Where ``limits.cleanup`` (a dotted name) was set: ``default``, the file's path or the variable's name."""
        return self.sources.get(name) or self.sources.get(_spelled(name), DEFAULT)

    def limit(self, clock: str, shell: str = "", element: str = "") -> Limit:
        """The limit called ``clock`` for an element of a shell: its own, else the shell's, else everybody's."""
        for table, name in (("resources", element), ("shells", shell)):
            own = getattr(self, table).get(name)
            seconds = getattr(own.limits, clock, None) if own else None
            if seconds is not None:
                source = self.source(f"{table}.{name}.limits.{clock}")
                return Limit(seconds=seconds, source=source)
        return self._everybodys[clock]

    @cached_property
    def _everybodys(self) -> dict[str, Limit]:
        """The limits of those that have none of their own: nearly all commands ask for two of them."""
        return {
            clock: Limit(seconds=getattr(self.limits, clock), source=self.source(f"limits.{clock}"))
            for clock in OwnLimits.__struct_fields__
        }

    def plugin_settings(self, name: str, cls: type[T]) -> T:
        """A plugin's class made with what is set for it.

        :param cls: a msgspec Struct or a dataclass; any other class is made without arguments.
        :raises SettingsError: an unknown name, a wrong type, or what the class itself refuses.
        """
        path = f"plugins.{_spelled(name)}"
        return convert(self.plugins.get(_spelled(name), {}), cls, path, self.source, _is_variable)

    def refuse_unknown_plugins(self, known: Iterable[str]) -> None:
        """Raise ``SettingsError`` where settings are for a plugin that is not among ``known``."""
        names = {_spelled(name) for name in known}
        for name in self.plugins:
            if name not in names:
                where = next(
                    (at for key, at in self.sources.items() if key.startswith(f"plugins.{name}.")),
                    DEFAULT,
                )
                raise SettingsError(
                    f"settings for no plugin: 'plugins.{name}'{offer(name, names)} (set by: {where})"
                )


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a file or a variable may set of ``Settings``."""

    limits: Limits = Limits()
    environments: EnvironmentSettings = EnvironmentSettings()
    instances: InstanceSettings = InstanceSettings()
    logs: LogSettings = LogSettings()
    history: HistorySettings = HistorySettings()
    node: NodeSettings = NodeSettings()
    store: StoreSettings = StoreSettings()
    shells: dict[str, OwnOfShell] = {}
    resources: dict[str, Own] = {}
    fabric: str = "local"
    control: bool = True
    plugins: dict[str, dict[str, object]] = {}


def load(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of ``file`` (none where it does not exist), overruled by the variables of ``environ``.

    ``SHELLDOCK_LIMITS__CLEANUP=60`` sets ``limits.cleanup``: two underscores between levels.

    :raises SettingsError: the file cannot be read, or a setting is unknown or of a wrong type; names where it was set.
    """
    table: Table = {}
    sources: dict[str, str] = {}
    for name, value, source in [*_of_file(file), *_of_variables(environ)]:
        _put(table, name, value, source)
        sources[".".join(name)] = source
    read = convert(table, _Known, "", lambda name: sources.get(name, DEFAULT), _is_variable)
    return Settings(
        limits=read.limits,
        environments=read.environments,
        instances=read.instances,
        logs=read.logs,
        history=read.history,
        node=read.node,
        store=read.store,
        shells=read.shells,
        resources=read.resources,
        fabric=read.fabric,
        control=read.control,
        plugins=read.plugins,
        sources=sources,
    )


Setting = tuple[tuple[str, ...], object, str]


def _of_file(file: Path | None) -> Iterable[Setting]:
    if file is None:
        return
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise SettingsError(f"cannot read settings file {str(file)!r}: {error.strerror}") from error
    import tomllib  # mostly there is no such file

    try:
        table = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {str(file)!r} is not TOML: {error}") from error
    yield from _flat(table, (), str(file.absolute()))


def _flat(table: Table, above: tuple[str, ...], source: str) -> Iterable[Setting]:
    for key, value in table.items():
        name = (*above, _spelled(key) if above == ("plugins",) else key)
        if isinstance(value, dict) and value:
            yield from _flat(value, name, source)
        else:
            yield name, value, source


def _of_variables(environ: Mapping[str, str]) -> Iterable[Setting]:
    for variable, text in sorted(environ.items()):
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in NOT_SETTINGS:
            yield _name(name.split("__")), text, variable


def _name(levels: list[str]) -> tuple[str, ...]:
    lower = tuple(level.lower() for level in levels)
    return (*NAMES, *levels[2:]) if lower[:2] == NAMES else lower


def _put(table: Table, name: tuple[str, ...], value: object, source: str) -> None:
    for level in name[:-1]:
        below = table.setdefault(level, {})
        if not isinstance(below, dict):
            raise SettingsError(
                f"setting {level!r} has a value and settings below it (set by: {source})"
            )
        table = below
    table[name[-1]] = value


def _spelled(name: str) -> str:
    """Plugins may have dashes in their names, variables may not."""
    return name.replace("-", "_")


def _is_variable(source: str) -> bool:
    """Whether a value is text that stands for another type; the paths of files are absolute."""
    return source.startswith(PREFIX)
