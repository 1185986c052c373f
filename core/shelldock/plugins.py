"""A typed face over the hooks: every question asked in one place, every answer checked, broken plugins listed."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import pluggy
from msgspec.structs import replace
from stevedore import ExtensionManager

from shelldock import hookspecs
from shelldock.errors import PluginError, SettingsError, ShelldockError, ShellError, nearest
from shelldock.model import (
    Call,
    Environment,
    Execution,
    Finding,
    Instance,
    Interpreter,
    Needs,
    Node,
    Sandbox,
    Severity,
    Shell,
    Target,
    Value,
)
from shelldock.settings import Settings

if TYPE_CHECKING:
    from typer import Typer

    from shelldock.fabric import Fabric
    from shelldock.host import AsyncHost
    from shelldock.services import Service

GROUP = "shelldock.plugins"

T = TypeVar("T")

log = logging.getLogger(__name__)


class Plugin(Value, frozen=True, kw_only=True):
    """What is known of one plugin; ``reason`` says why it is not in use, and is empty where it is."""

    name: str
    distribution: str = ""
    version: str = ""
    hooks: tuple[str, ...] = ()
    settings: Mapping[str, object] = {}
    reason: str = ""


class Plugins:
    """All plugins of one host, asked in the order: those given by hand, strangers, our defaults.

    :param settings: tells each plugin class the values of its fields (``[plugins.<name>]``).
    :param given: plugin objects of the caller's own, asked before all others.
    """

    def __init__(self, settings: Settings, given: Sequence[object] = ()) -> None:
        self._settings = settings
        self._manager = pluggy.PluginManager("shelldock")
        self._manager.add_hookspecs(hookspecs)
        self._hook = self._manager.hook
        self._plugins: list[tuple[Plugin, EntryPoint | None]] = []
        found: Iterable[Any] = ExtensionManager(
            GROUP, invoke_on_load=False, on_load_failure_callback=self._failed_to_load
        )
        for extension in sorted(found, key=lambda one: one.name):
            self._add(extension.name, extension.plugin, extension.entry_point)
        for one in given:
            kind = one if inspect.isclass(one) else type(one)
            self._add(kind.__name__.lower(), one)
        settings.refuse_unknown_plugins(one.name for one, _ in self._plugins)

    def all(self) -> list[Plugin]:
        """Every plugin that was found, also those that are broken."""
        # Here, not at the start: it takes the files of all distributions to know which one an entry point is of.
        homes = {one.value: one.dist for one in entry_points(group=GROUP)}
        return [
            _at_home(one, homes.get(entry.value) if entry else None) for one, entry in self._plugins
        ]

    # ---- questions ------------------------------------------------------------------------------

    def read_shell(self, path: Path) -> Shell:
        """The shell at ``path``. Raises ``ShellError`` where there is none that anybody can read."""
        if not path.exists():
            raise ShellError(path, "there is no such file or folder")
        answer = self._ask("shelldock_read_shell", Shell, path=path)
        if answer is None:
            raise ShellError(
                path,
                "no plugin knows this format; expected a shell package (.zip), "
                "a project folder with shell-definition.yaml or datamodel, or a folder with a driver",
            )
        return answer

    def scope(self, target: Target) -> str:
        """The key under which ``target`` shares an instance."""
        return self._answer("shelldock_scope", str, target=target)

    def place(self, shell: Shell, target: Target, nodes: Sequence[Node]) -> str:
        """The name of the node, one of ``nodes``, on which the instance that serves ``target`` starts."""
        name = self._answer("shelldock_place", str, shell=shell, target=target, nodes=nodes)
        if name not in (node.name for node in nodes):
            raise PluginError(
                f"shelldock_place answered {name!r}, which is no node that could take {target.name!r}"
            )
        return name

    def python(self, shell: Shell, asked: str | None) -> Interpreter:
        """What the driver of ``shell`` runs on. Raises ``PythonError``. Slow: call it in a thread."""
        return self._answer("shelldock_python", Interpreter, shell=shell, asked=asked)

    def needs(self, shell: Shell, python: Interpreter) -> Needs:
        """What the driver of ``shell`` requires, exactly. Slow: call it in a thread."""
        return self._answer("shelldock_needs", Needs, shell=shell, python=python)

    def build(self, needs: Needs, folder: Path, log: Path) -> Path:
        """The interpreter, relative to ``folder``, of the environment made there. Slow: call it in a thread."""
        return self._answer("shelldock_build", Path, needs=needs, folder=folder, log=log)

    def concurrency(self, shell: Shell, target: Target) -> float:
        """How many commands an instance runs at the same time, 1 or more."""
        most = self._answer("shelldock_concurrency", float, shell=shell, target=target)
        if not most >= 1:
            raise PluginError(
                f"shelldock_concurrency answered {most!r} for {target.name!r}; expected 1 or more"
            )
        return most

    def idle_limit(self, instance: Instance) -> float:
        """Seconds that ``instance`` may stay without work."""
        seconds = self._answer("shelldock_idle_limit", float, instance=instance)
        if not seconds >= 0:
            raise PluginError(
                f"shelldock_idle_limit answered {seconds!r} for {instance.key!r}; expected 0 or more"
            )
        return seconds

    def context(self, call: Call) -> dict[str, object]:
        """What the driver gets as ``context`` for ``call``."""
        return self._answer("shelldock_context", dict, call=call)

    # ---- events ---------------------------------------------------------------------------------

    def instance_changed(self, instance: Instance) -> None:
        """Tell everybody that an instance changed."""
        self._tell("shelldock_instance_changed", instance=instance)

    def execution_changed(self, execution: Execution) -> None:
        """Tell everybody that an execution changed."""
        self._tell("shelldock_execution_changed", execution=execution)

    def sandbox_changed(self, sandbox: Sandbox) -> None:
        """Tell everybody that a sandbox changed."""
        self._tell("shelldock_sandbox_changed", sandbox=sandbox)

    def environment_changed(self, environment: Environment) -> None:
        """Tell everybody that an environment changed."""
        self._tell("shelldock_environment_changed", environment=environment)

    def hears(self, hook: str) -> bool:
        """Whether anybody listens to the event ``hook``."""
        return bool(getattr(self._hook, hook).get_hookimpls())

    # ---- contributions --------------------------------------------------------------------------

    def shells(self) -> list[Path]:
        """Folders and packages of shells that plugins bring."""
        return [Path(path) for answer in self._collect("shelldock_shells") for path in answer]

    def check_shell(self, path: Path, shell: Shell | None) -> list[Finding]:
        """What all plugins find in a shell; one that fails is a finding. Call it in a thread."""
        return [
            finding
            for name, answer in self._each("shelldock_check_shell", path=path, shell=shell)
            for finding in _findings(name, answer, path)
        ]

    def fabrics(self) -> dict[str, Fabric]:
        """Engines that join machines, by name."""
        return {
            name: fabric
            for answer in self._collect("shelldock_fabrics")
            for name, fabric in answer.items()
        }

    def services(self, host: AsyncHost) -> list[Service]:
        """Services that live as long as ``host``."""
        return [
            service
            for answer in self._collect("shelldock_services", host=host)
            for service in answer
        ]

    def commands(self, app: Typer) -> None:
        """Let plugins add commands to the command line."""
        self._collect("shelldock_commands", app=app)

    # ---- asking ---------------------------------------------------------------------------------

    def _answer(self, name: str, kind: type[T], **facts: object) -> T:
        answer = self._ask(name, kind, **facts)
        if answer is None:
            raise PluginError(
                f"no plugin answers {name}; is the default plugin broken? see `shelldock plugins`"
            )
        return answer

    def _ask(self, name: str, kind: type[T], **facts: object) -> T | None:
        try:
            answer: Any = getattr(self._hook, name)(**facts)
        except ShelldockError:
            raise
        except Exception as error:  # a plugin may raise anything
            log.exception("hook %s failed", name)
            raise PluginError(
                f"{name} failed with {type(error).__name__}: {error} ({self._who(name)})"
            ) from error
        if kind is float and isinstance(answer, int):
            answer = float(answer)
        if answer is not None and not isinstance(answer, kind):
            raise PluginError(
                f"{name} answered {answer!r}; expected {kind.__name__} ({self._who(name)})"
            )
        return answer

    def _who(self, name: str) -> str:
        implementations = reversed(getattr(self._hook, name).get_hookimpls())
        return "asked in this order: " + ", ".join(one.plugin_name for one in implementations)

    def _tell(self, name: str, **facts: object) -> None:
        # Not through the hook itself: there the first that raises keeps the others from hearing.
        for one in reversed(getattr(self._hook, name).get_hookimpls()):
            try:
                one.function(*(facts[argument] for argument in one.argnames))
            except Exception:  # a listener may raise anything; it must not stop what it listens to
                log.exception("plugin %r failed to hear %s", one.plugin_name, name)

    def _collect(self, name: str, **facts: object) -> list[Any]:
        answers = (answer for _, answer in self._each(name, **facts))
        return [one for one in answers if one is not None and not isinstance(one, Exception)]

    def _each(self, name: str, **facts: object) -> Iterator[tuple[str, Any]]:
        """Every plugin that has the hook, with its answer or what it raised."""
        for one in reversed(getattr(self._hook, name).get_hookimpls()):
            try:
                answer = one.function(*(facts[argument] for argument in one.argnames))
            except Exception as error:  # one broken contribution never stops the host
                log.exception("plugin %r failed in %s", one.plugin_name, name)
                answer = error
            yield one.plugin_name, answer

    # ---- loading --------------------------------------------------------------------------------

    def _failed_to_load(self, _manager: object, entry: EntryPoint, error: BaseException) -> None:
        log.warning("plugin %r cannot be loaded: %s", entry.name, error)
        self._plugins.append(
            (Plugin(name=entry.name, reason=f"{type(error).__name__}: {error}"), entry)
        )

    def _add(self, name: str, found: object, entry: EntryPoint | None = None) -> None:
        try:
            plugin = self._made(name, found)
            self._register(plugin, name)
        except SettingsError:
            raise  # the user's mistake, who would wonder why the plugin is not asked
        except Exception as error:  # a stranger's class or hooks
            log.warning("plugin %r is not used: %s", name, error)
            self._plugins.append((Plugin(name=name, reason=str(error)), entry))
            return
        hooks = tuple(sorted(caller.name for caller in self._manager.get_hookcallers(plugin) or ()))
        self._plugins.append((Plugin(name=name, hooks=hooks, settings=_fields(plugin)), entry))

    def _made(self, name: str, found: object) -> object:
        """The plugin itself: a class is given its settings, anything else is the plugin."""
        return self._settings.plugin_settings(name, found) if inspect.isclass(found) else found

    def _register(self, plugin: object, name: str) -> None:
        taken = self._manager.has_plugin(name)
        self._manager.register(plugin, f"{name}@{id(plugin):x}" if taken else name)
        try:
            self._refuse_unusable_hooks(plugin)
        except PluginError:
            self._manager.unregister(plugin)
            raise

    def _refuse_unusable_hooks(self, plugin: object) -> None:
        known = [name for name in dir(hookspecs) if name.startswith("shelldock_")]
        callers: Iterable[pluggy.HookCaller] = self._manager.get_hookcallers(plugin) or ()
        for caller in callers:
            if not caller.has_spec():
                near = nearest(caller.name, known)
                raise PluginError(
                    f"there is no hook {caller.name!r}"
                    + (f"; did you mean {near[0]!r}?" if near else "")
                )
            if not _is_question(caller) and _wraps(plugin, caller):
                raise PluginError(f"{caller.name} has no one answer that could be wrapped")


def _is_question(caller: pluggy.HookCaller) -> bool:
    return caller.spec is not None and bool(caller.spec.opts["firstresult"])


def _wraps(plugin: object, caller: pluggy.HookCaller) -> bool:
    return any(
        one.plugin is plugin and (one.wrapper or one.hookwrapper) for one in caller.get_hookimpls()
    )


def _findings(name: str, answer: object, path: Path) -> list[Finding]:
    """What a plugin found, or that it could not tell."""
    if answer is None:
        return []
    if isinstance(answer, list | tuple) and all(map(_is_finding, answer)):
        return list(answer)
    what = (
        f"failed with {type(answer).__name__}: {answer}"
        if isinstance(answer, Exception)
        else f"answered {answer!r}; expected findings"
    )
    message = f"plugin {name!r} {what}, so what it checks is not known; mend or uninstall it"
    return [Finding(path=path, rule="check-failed", severity="error", message=message)]


def _is_finding(one: object) -> bool:
    return isinstance(one, Finding) and one.severity in get_args(Severity)


def _at_home(plugin: Plugin, distribution: Distribution | None) -> Plugin:
    """``plugin`` with where it is installed from."""
    if distribution is None:
        return plugin
    return replace(plugin, distribution=distribution.name, version=distribution.version)


def _fields(plugin: object) -> dict[str, object]:
    if isinstance(plugin, ModuleType):
        return {}
    kind = type(plugin)
    names = (*getattr(kind, "__struct_fields__", ()), *getattr(kind, "__dataclass_fields__", ()))
    return {name: getattr(plugin, name) for name in names}
