"""The composition of it all: a command finds its scope, its node and its instance, and becomes an execution."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import msgspec

from shelldock import bundles
from shelldock.blueprints import Blueprint, seconds
from shelldock.callbacks import Callbacks
from shelldock.catalog import Catalog
from shelldock.commands import Asked, Commands
from shelldock.control import Answers, Control
from shelldock.discovery import Discoveries
from shelldock.environments import Environments
from shelldock.errors import (
    ConflictError,
    InputError,
    SettingsError,
    ShellError,
)
from shelldock.executions import Executions
from shelldock.fleet import Fleet, chosen
from shelldock.inputs import Inputs
from shelldock.inventory import Inventory
from shelldock.janitor import Janitor
from shelldock.logs import level_name
from shelldock.model import (
    Environment,
    Execution,
    ExecutionState,
    Finding,
    History,
    Hold,
    Instance,
    Interpreter,
    Kind,
    Message,
    Request,
    Resource,
    Sandbox,
    SandboxDetails,
    Shell,
    Target,
    Waiting,
)
from shelldock.model import (
    Node as NodeInfo,
)
from shelldock.node import Node
from shelldock.paths import Paths
from shelldock.plugins import Plugins
from shelldock.remote import HostInfo
from shelldock.requests import Requests
from shelldock.reservations import Reservations
from shelldock.sandboxes import Sandboxes
from shelldock.services import Service
from shelldock.settings import Settings, load
from shelldock.store import Store
from shelldock.targets import Targets
from shelldock.tokens import Tokens
from shelldock.variables import Variables
from shelldock.vault import Vault

# What speaks to a database is imported by hosts that have something to keep (see ``shelldock.store``).
if TYPE_CHECKING:
    from shelldock.auditing import Auditing
    from shelldock.bookings import Bookings
    from shelldock.connections import Connections
    from shelldock.ledger import Ledger
    from shelldock.users import Users

log = logging.getLogger(__name__)

LONGEST_PAGE: Final = 1000
"""Executions in one answer of the history."""

LIVE: Final = frozenset({"limits", "instances", "shells", "resources", "sources"})
"""Settings that can change while the host is open."""


class AsyncHost:
    """Runs commands on driver instances. Use it as an asynchronous context manager.

    :param settings: by default those of the settings file and of the environment variables.
    :param paths: places on disk; by default the platform's, or all below ``SHELLDOCK_HOME``.
    :param plugins: plugin objects, asked before the installed ones.
    :param store: what keeps the inventory; by default what the setting ``store.url`` says, else a file under ``paths``.
    :param vault: what encrypts passwords; by default with the key in a file under ``paths``.
    :param python: the interpreter for every driver, a version (``3.9``) or a path; by default each shell's own.
    :param fresh: give every instance a fresh interpreter instead of a fork of one that has imported the driver; by
        default what the setting ``instances.fresh`` says.
    :param debug: ``port`` or ``address:port`` on which each driver waits for a debugger before it initializes; for as
        long as that takes (L2).
    :param variables: environment variables for every driver; they overrule those of the settings.
    :param durable: keep every execution in the store: it is there before anybody hears that it was accepted, that it
        started and how it ended. What was under way in a host that was killed is then *interrupted*, or *cancelled*
        where it had not started; nothing is run twice. One such host at a time may use the data: ``HeldError``.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        paths: Paths | None = None,
        plugins: Sequence[object] = (),
        store: Store | None = None,
        vault: Vault | None = None,
        python: str | None = None,
        fresh: bool | None = None,
        debug: str = "",
        variables: Mapping[str, str] | None = None,
        durable: bool = False,
    ) -> None:
        self.paths = paths or Paths.default(os.environ)
        self.settings = settings or load(self.paths.settings, os.environ)
        self.plugins = Plugins(self.settings, plugins)
        self.store = store or Store(self.settings.store.url or f"sqlite:///{self.paths.store}")
        self.vault = vault or Vault.load(self.paths.key)
        self.tokens = Tokens()
        self.catalog = Catalog(self.paths.shells, self.plugins.read_shell, self.plugins.shells())
        self.inventory = Inventory(self.store, self.vault, self.shell)
        self.sandboxes = Sandboxes()
        self.targets = Targets(
            self.catalog,
            self.inventory,
            self.sandboxes,
            self.vault,
            lambda: self.connections,
        )
        self.environments = Environments(
            self.paths.environments,
            self.paths.resolutions,
            validity=self.settings.environments.validity,
            build_limit=self.settings.limits.build,
            changed=self.plugins.environment_changed,
            build_source=self.settings.source("limits.build"),
            premises=msgspec.json.encode(self.settings.plugins).decode(),
        )
        self._ledger = self._new_ledger() if durable else None
        self._reservations = Reservations(
            self.sandboxes,
            self._new_bookings() if durable else None,
            self._release,
            self.plugins.sandbox_changed,
            self.settings.history.unused_after,
        )
        self._executions = Executions(self.plugins.execution_changed, self._ledger)
        self.callbacks = Callbacks(
            self.inventory,
            self.sandboxes,
            self._executions,
            self.vault,
            self.tokens,
            self,
            lambda: self.connections,
        )
        self._discoveries = Discoveries(self.inventory, self.shell)
        fabric = chosen(self.settings.fabric, self.plugins.fabrics())
        self._fleet = Fleet(fabric, self.plugins)
        name = self.settings.node.name or platform.node() or "local"
        self._commands = Commands(
            lambda: self.settings,
            name,
            self.plugins,
            self.targets,
            self.sandboxes,
            self._reservations,
            self._executions,
            Requests(self._ledger),
            self._fleet,
            self.tokens,
            lambda key, shell: self._node.ready(key, shell),
        )
        self._node = Node(
            name,
            self.settings,
            self.paths,
            self.plugins,
            self.environments,
            fabric,
            self._executions.started,
            self._commands.renewed,
            python=python,
            fresh=self.settings.instances.fresh if fresh is None else fresh,
            debug=_place(debug),
            variables=Variables(self.settings, variables),
        )
        self._janitor = Janitor(self._node, self.environments, self.paths, self.settings)
        self._offered: dict[str, Callable[..., object]] = dict(self._answers())
        self._control = Control(self.paths.runtime, self._offered)
        self._since = time.time()
        self._services: list[Service] = []

    # ---- life -----------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Start the services, join the other machines."""
        if self._ledger is not None:
            await self._ledger.open()
        self._commands.open = True
        try:
            for service in self.plugins.services(self):
                found = await service.start()
                self._commands.connectivity = found or self._commands.connectivity
                self._services.append(service)
            await self._node.open()
            await self._reservations.open(self.targets.held)
        except BaseException:
            await self._end_services()
            await self._end_ledger()
            raise
        self._janitor.open()
        if self.settings.control:
            await self._control.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take nothing new, cancel what runs, let every instance clean up, end the services."""
        self._commands.open = False
        await self._reservations.close()
        if self._ledger is not None:
            await self._ledger.flush()  # what is being accepted is there now, and ends as the rest
        await self._node.close("the host shuts down")
        await self._commands.settled()
        await self._janitor.close()
        await self._control.close()
        await self.environments.close()
        await self._end_services()
        await self._end_ledger()
        self.store.close()

    # ---- commands -------------------------------------------------------------------------------

    async def execute(
        self,
        target: Target | str,
        command: str,
        inputs: Inputs | None = None,
        *,
        ports: Sequence[str] = (),
        endpoints: Sequence[Resource] = (),
        limit: float | None = None,
        pending: float | None = None,
        prints: bool = True,
        parent: str = "",
    ) -> Execution:
        """Run a command to its end.

        :param target: whom it is for; a name means a resource of the inventory.
        :param inputs: values by the names of the command's parameters, or a list of values in their order.
        :param ports: full paths, for connected commands.
        :param endpoints: the resources on the other side of a connected command, aligned with ``ports``; by default
            what the ports are connected to (I14). ``InputError`` where some are connected and others are not.
        :param limit: seconds that it may run; by default what the setting ``limits.command`` says.
        :param pending: seconds that it may wait for its turn; by default what ``limits.pending`` says (Q4).
        :param prints: whether what it returns goes to the output of its sandbox, too (R5).
        :param parent: the execution that waits for this one: a driver asked for it. ``CycleError`` where it would
            wait for itself (I16).
        :returns: the execution, completed: ``result`` is what the driver returned, as text.

        Raises the ``ShelldockError`` that ended it otherwise. If the caller is cancelled, so is the command.
        """
        return await self._commands.execute(
            Asked(
                target=target,
                command=command,
                inputs=inputs,
                ports=ports,
                endpoints=endpoints,
                limit=limit,
                pending=pending,
                prints=prints,
                parent=parent,
            )
        )

    async def submit(
        self,
        target: Target | str,
        command: str,
        inputs: Inputs | None = None,
        *,
        ports: Sequence[str] = (),
        endpoints: Sequence[Resource] = (),
        limit: float | None = None,
        pending: float | None = None,
        prints: bool = True,
        parent: str = "",
        user: str = "",
        request_key: str = "",
    ) -> Execution:
        """Have a command run; ``wait`` for its end. Raises at once where it can never run.

        :param user: who asks, for the record.
        :param request_key: the same key of the same user gives the same execution again, so that a request whose
            answer was lost can be repeated. ``ConflictError`` where the request is another one.

        The other parameters are those of ``execute``. Raises ``StoreError`` where a durable host cannot record it.
        """
        asked = Asked(
            target=target,
            command=command,
            inputs=inputs,
            ports=ports,
            endpoints=endpoints,
            limit=limit,
            pending=pending,
            prints=prints,
            parent=parent,
            user=user,
        )
        if not request_key:
            return await self._commands.submit(asked)
        request = Request(key=request_key, digest=self.vault.digest(asked.said))
        return await self._commands.submit(asked, request)

    async def execution(self, id: str) -> Execution:
        """The execution with this id as it is now; a durable host knows those of earlier ones, too.

        Raises ``NotFoundError``.
        """
        return await self._executions.find(id)

    async def history(
        self,
        *,
        state: ExecutionState | None = None,
        target: str | None = None,
        sandbox: str | None = None,
        user: str | None = None,
        command: str | None = None,
        before: str = "",
        limit: int = 100,
    ) -> History:
        """A page of the executions that there were, newest first.

        :param target: and the others: only those of which it is exactly so.
        :param before: the ``next`` of the page before it.
        :param limit: how many a page has, 1 to 1,000.

        Raises ``InputError``.
        """
        if not 1 <= limit <= LONGEST_PAGE:
            raise InputError(f"a page has 1 to {LONGEST_PAGE} executions, not {limit}")
        given = {
            "state": state,
            "target": target,
            "sandbox": sandbox,
            "user": user,
            "command": command,
        }
        wanted = {name: value for name, value in given.items() if value is not None}
        return await self._executions.page(wanted, before, limit)

    async def wait(self, execution: str) -> Execution:
        """The execution with this id when it has ended, however. Raises ``NotFoundError``."""
        return await self._executions.wait(execution)

    async def cancel(self, execution: str, *, force: bool = False) -> bool:
        """Cancel an execution: out of the queue, or told to the driver, which may take its time.

        :param force: also where the shell does not say that the running command can be cancelled; the driver is told
            all the same, and most likely does not look.
        :returns: False if it has ended already.

        Raises ``NotFoundError``, and ``ConflictError`` for what runs and cannot be cancelled (Q5).
        """
        return await self._commands.cancel(execution, force=force)

    async def stop(self, key: str, reason: str = "asked to stop") -> None:
        """Stop the instance for the scope ``key`` in order, with its ``cleanup``."""
        await self._fleet.on_holder(key, "stop", reason)

    async def terminate(self, key: str, reason: str = "terminated") -> None:
        """End the instance for the scope ``key`` at once, without ``cleanup``; what runs on it fails."""
        await self._fleet.on_holder(key, "terminate", reason)

    async def set_log_level(self, key: str, level: str) -> None:
        """Let the running instance for the scope ``key`` log from ``level`` on, at once (L1).

        :param level: ``DEBUG``, ``INFO``, ``WARNING``, ``ERROR`` or ``CRITICAL``, in any case.

        Raises ``InputError`` for another level, and ``NotFoundError`` where there is no such instance.
        """
        await self._fleet.on_holder(key, "set_log_level", level_name(level))

    async def cancel_all(self, key: str, reason: str = "asked to cancel all") -> int:
        """Cancel all that runs on, or waits for, the instance for ``key``, which stays (Q8). How many that were."""
        return int(str(await self._fleet.on_holder(key, "cancel_all", reason)))

    async def reset(self, key: str, reason: str = "reset") -> None:
        """Cancel all that runs on, or waits for, the instance for ``key``, and stop it (I11).

        The next command starts a new one. What does not notice that it is cancelled is terminated.
        """
        await self._fleet.on_holder(key, "reset", reason)

    async def reset_target(self, target: Target) -> None:
        """The same for whatever instance serves ``target``, if there is one."""
        await self._fleet.on_claimed(self.plugins.scope(target), "reset", "reset")

    async def retry(self, key: str) -> None:
        """Let a driver that failed to start again and again be tried at once, with the next command."""
        await self._fleet.on_holder(key, "retry")

    async def remove(self, name: str) -> list[Resource]:
        """Remove a resource and all below it from the inventory; returns what is gone.

        What runs on it goes on to its end, what waits is cancelled, and then its instance stops (I10).
        """
        target = Target(resource=self.inventory.resource(name))
        gone = self.inventory.remove(name)
        if target.name == target.resource.root:
            key = self.plugins.scope(target)
            await self._fleet.on_claimed(key, "retire", f"the resource {name!r} was removed")
        return gone

    # ---- sandboxes ------------------------------------------------------------------------------

    async def start_blueprint(
        self,
        blueprint: Blueprint,
        *,
        name: str = "",
        owner: str = "admin",
        duration: float | None = None,
    ) -> SandboxDetails:
        """Start a sandbox with all that a blueprint names, or with nothing where any of it cannot be.

        :param name: by default that of the blueprint.
        :param duration: seconds until it ends by itself; by default what the blueprint says, which may be never.

        Raises ``NotFoundError``, ``InputError``, and ``ReservedError`` for a resource that another sandbox has.
        """
        self._commands.refuse_closed()
        lasts = seconds(blueprint.duration if duration is None else duration)
        now = time.time()
        sandbox = Sandbox(
            id=str(uuid.uuid4()),
            name=name or blueprint.name,
            blueprint=blueprint.name,
            description=blueprint.description,
            owner=owner,
            started=now,
            ends=None if lasts is None else now + lasts,
        )
        holds = [Hold(resource=one.name, shared=one.shared) for one in blueprint.resources]
        targets = self.targets.of_blueprint(blueprint, sandbox)
        return await self._reservations.start(sandbox, targets, holds)

    async def start_sandbox(
        self, sandbox: Sandbox, targets: Sequence[Target] = (), holds: Sequence[Hold] = ()
    ) -> None:
        """Make a sandbox known, and what is used in it.

        Raises ``ConflictError`` where it is known already, and ``ReservedError`` where another one has what it needs.
        """
        await self._reservations.start(sandbox, targets, holds)

    async def extend_sandbox(self, id: str, ends: float | None) -> Sandbox:
        """Let a sandbox end at another time (Unix time); None: when somebody ends it.

        Raises ``NotFoundError``, ``ConflictError`` where it has ended, and ``InputError``.
        """
        return await self._reservations.extend(id, ends)

    async def end_sandbox(self, id: str, reason: str = "the sandbox ended") -> Sandbox:
        """End a sandbox: its commands are cancelled, the instances of its apps and services stop (I9).

        Once it has ended, it is that same sandbox however often it is asked for. Raises ``NotFoundError``.
        """
        return await self._reservations.end(id, reason)

    async def sandbox(self, id: str) -> SandboxDetails:
        """A sandbox and what is in it, also when it has ended. Raises ``NotFoundError``."""
        return await self._reservations.details(id)

    async def list_sandboxes(
        self, *, ended: bool = False, owner: str | None = None
    ) -> list[Sandbox]:
        """The sandboxes that have not ended, oldest first.

        :param ended: those that ended lately, too, newest first and after the others.
        :param owner: only those of this user.
        """
        found = await self._reservations.all(ended=ended)
        return [one for one in found if owner in (None, one.owner)]

    async def sandbox_output(self, id: str) -> list[Message]:
        """What commands returned and drivers wrote in a sandbox, oldest first (R5), also when it has ended.

        Raises ``NotFoundError``.
        """
        return await self._reservations.output(id)

    def locate(self, name: str, sandbox: str = "") -> Target:
        """What is called so: a resource of the inventory, or what is in a sandbox. Raises ``NotFoundError``."""
        return self.targets.locate(name, sandbox)

    def refuse_ended(self, sandbox: Sandbox) -> None:
        """Raise ``ConflictError`` where a sandbox takes no more commands."""
        self._reservations.refuse_ended(sandbox)

    def refuse_excluded(self, target: Target) -> None:
        """Raise ``ExcludedError`` where a target is excluded, or a resource that it is part of (N1)."""
        self.targets.refuse_excluded(target)

    def refuse_held(self, resource: str) -> None:
        """Raise ``ReservedError`` where a sandbox has a resource, or the root of it, for itself (D6)."""
        self._reservations.refuse_held(resource.partition("/")[0])

    async def drain(self, limit: float) -> None:
        """Take nothing new (``ClosingError``), cancel what waits, and let what runs end within ``limit`` seconds.

        Commands that a running driver asks for are still taken. Call it before closing.
        """
        await self._commands.drain(limit)

    @property
    def draining(self) -> bool:
        """Whether nothing new is taken any more."""
        return self._commands.closing

    async def discover(self, name: str, *, parent: str = "") -> Resource:
        """Let the driver of a resource find its sub-resources, and keep them (N1-N4).

        The resource is excluded meanwhile. See ``shelldock.discovery`` for what becomes of it.

        :returns: the root resource as it is then.
        :raises NoDriverError, NoDiscoveryError: it cannot be discovered, and is as it was.
        :raises DiscoveryFailed: it stays excluded, with the message as its live status.
        """
        self._commands.refuse_closed()
        return await self._discoveries.discover(name, partial(self.execute, parent=parent))

    async def prepare(self, shell: Shell) -> Environment:
        """The environment of a shell's driver as of now, built if need be. Raises ``EnvironmentFailed``."""
        return await self._node.prepare(shell)

    async def export_environments(self, shells: Sequence[Shell], file: Path) -> list[Environment]:
        """Write the environments of these shells' drivers into a file, for machines that reach no index (V5).

        They are resolved and built as need be. Raises ``EnvironmentFailed``, ``ShellError`` for a shell without a
        driver, and ``OSError``.
        """
        for shell in shells:
            if shell.driver is None:
                raise ShellError(shell.path, "it has no driver, so it needs no environment")
        made = [await self.prepare(shell) for shell in shells]
        await asyncio.to_thread(bundles.export, file, list(zip(shells, made, strict=True)))
        return made

    async def import_environments(self, file: Path) -> list[Environment]:
        """Take in what ``export_environments`` wrote, perhaps on another machine; no index is asked.

        Everything is verified before anything is kept. Raises ``InputError`` for a file that is damaged or not for
        this platform, and ``PythonError`` where a version of Python is missing.
        """
        made: list[Environment] = []
        with bundles.opened(file) as bundle:
            adopted = [
                bundles.Adopted(bundle, number, await self._interpreter_for(packed))
                for number, packed in enumerate(bundle.contents.environments)
            ]
            for one in adopted:
                with one.shell() as shell:
                    made.append(await self.environments.ready(shell, None, one))
        return made

    async def check(self, shell: str | Path) -> list[Finding]:
        """What is wrong with a shell, or will be, sorted by place (L3).

        :param shell: as for ``open_shell``. One that cannot be read is a finding.

        Raises ``NotFoundError``.
        """
        return await asyncio.to_thread(self._check, shell)

    async def interpreter(self, shell: Shell) -> Interpreter:
        """The Python that a shell's driver gets, and why (D9). It is looked for now, which may take a second.

        Raises ``PythonError`` where there is none, and ``InputError`` where there is no driver.
        """
        if shell.driver is None:
            raise InputError(f"shell {shell.name!r} has no driver, so it needs no Python")
        return await self._node.interpreter(shell)

    # ---- what is in the store -------------------------------------------------------------------
    # Imported where it is asked for: a host that keeps nothing does without the database and its library.

    @cached_property
    def users(self) -> Users:
        """Who may log in, and their tokens."""
        from shelldock.users import Users

        return Users(self.store)

    @cached_property
    def audit(self) -> Auditing:
        """Who changed what."""
        from shelldock.auditing import Auditing

        return Auditing(self.store)

    @cached_property
    def connections(self) -> Connections:
        """Which element of the inventory is connected to which."""
        from shelldock.connections import Connections

        return Connections(self.store, self.inventory.resource)

    def _new_ledger(self) -> Ledger:
        from shelldock.ledger import Ledger

        return Ledger(self.store, self.paths.data, self.settings.history)

    def _new_bookings(self) -> Bookings:
        from shelldock.bookings import Bookings

        return Bookings(self.store)

    # ---- what there is --------------------------------------------------------------------------

    def shell(self, name: str) -> Shell:
        """The shell of this name, or at this path. Raises ``NotFoundError`` or ``ShellError``."""
        return self.targets.shell(name)

    def open_shell(self, name: str | Path) -> Shell:
        """The installed shell of this name, or the one at this path, which is then known by its path.

        Raises ``NotFoundError`` or ``ShellError``.
        """
        return self.targets.open_shell(name)

    def remove_shell(self, name: str, *, force: bool = False) -> None:
        """Remove a shell that was added; where resources are of it, only by ``force``.

        Raises ``NotFoundError`` and ``ConflictError``.
        """
        name = self.catalog.spelt(name)
        users = self.inventory.used(name)
        if users and not force:
            some = ", ".join(map(repr, users[:3])) + (", …" if len(users) > 3 else "")
            raise ConflictError(
                f"shell {name!r} is in use by {some}; remove them first, or remove it by force"
            )
        self.catalog.remove(name)

    def target(
        self,
        shell: str | Path,
        name: str = "",
        *,
        address: str = "",
        attributes: Mapping[str, str] | None = None,
        kind: Kind | None = None,
        sandbox: Sandbox | None = None,
    ) -> Target:
        """Something that a shell drives, in no inventory.

        :param shell: as for ``open_shell``.
        :param name: by default the shell's.
        :param attributes: by full or short name; those that are not given have the shell's defaults. Passwords come
            in clear and are encrypted.
        :param kind: by default what the shell is for.

        Raises ``NotFoundError`` or ``ShellError``, and ``InputError`` for a name or an attribute that cannot be.
        """
        return self.targets.of_shell(
            shell, name, address=address, attributes=attributes, kind=kind, sandbox=sandbox
        )

    def output(self, sandbox: str) -> list[Message]:
        """What commands returned and drivers wrote in a sandbox, oldest first (R5). Raises ``NotFoundError``."""
        return self.sandboxes.output(sandbox)

    def executions(self) -> list[Execution]:
        """Every execution that runs, and the newest of those that ended, oldest first."""
        return self._executions.all()

    async def instances(self, *, memory: bool = True) -> list[Instance]:
        """Every live instance on every node. Reading the memory takes about a millisecond each."""
        return await self._fleet.instances(memory=memory)

    async def queue(self) -> list[Waiting]:
        """Every command that was accepted and does not run yet, and why (Q3)."""
        return await self._commands.queue()

    async def nodes(self) -> list[NodeInfo]:
        """Every execution server that has joined."""
        return await self._fleet.nodes()

    def offer(self, verb: str, answer: Callable[..., object]) -> None:
        """Let other processes of this user ask one thing more (see ``shelldock.control``)."""
        self._offered[verb] = answer

    def reload(self, settings: Settings) -> None:
        """Use other settings from now on: limits, those of shells and resources, and of instances to come.

        Raises ``SettingsError``, and changes nothing, where one of the others differs: they need a restart.
        """
        fixed = [
            name
            for name in self.settings.__struct_fields__
            if name not in LIVE and getattr(settings, name) != getattr(self.settings, name)
        ]
        if fixed:
            raise SettingsError(
                f"{', '.join(map(repr, fixed))} can only be changed by a restart; nothing was changed"
            )
        self._node.reload(settings)
        self.settings = settings

    def affected(self, key: str) -> list[Execution]:
        """Whom it hits if the instance for ``key`` ends now: what runs on it, and waits for it (L4)."""
        return self._commands.affected(key)

    def _check(self, name: str | Path) -> list[Finding]:
        path = Path(name).absolute()
        shell: Shell | None = None
        found: list[Finding] = []
        try:
            shell = self.catalog.open(str(name))
            path = shell.path
        except ShellError as error:
            found.append(Finding.of(error))
        if path.exists():
            found += self.plugins.check_shell(path, shell)
        return sorted(found, key=lambda one: (str(one.path), one.line, one.column, one.rule))

    async def _interpreter_for(self, packed: bundles.Packed) -> Interpreter:
        """The interpreter of this machine that an environment in a file can live on."""
        minor = packed.needs.version.rpartition(".")[0]
        return await asyncio.to_thread(self.plugins.python, packed.shell, minor)

    def _answers(self) -> Answers:
        """What other processes of the user may ask."""
        return {
            "info": self._info,
            "instances": self.instances,
            "queue": self.queue,
            "executions": self.executions,
            "affected": self.affected,
            "cancel": self._cancel_from_outside,
            "cancel_all": self.cancel_all,
            "stop": self.stop,
            "terminate": self.terminate,
            "reset": self.reset,
            "retry": self.retry,
            "set_log_level": self.set_log_level,
            "remove": self.remove,
        }

    async def _cancel_from_outside(self, execution: str, force: bool) -> bool:
        return await self.cancel(execution, force=force)

    def _info(self) -> HostInfo:
        return HostInfo(pid=os.getpid(), program=" ".join(sys.orig_argv), since=self._since)

    async def _release(self, sandbox: Sandbox, targets: Sequence[Target]) -> None:
        await self._commands.release(sandbox, targets)

    async def _end_ledger(self) -> None:
        if self._ledger is not None:
            await self._ledger.close()

    async def _end_services(self) -> None:
        while self._services:
            await self._services.pop().stop()


def _place(text: str) -> str:
    """``port`` or ``address:port`` as the latter. Raises ``InputError`` where it is neither."""
    address, _, port = text.rpartition(":")
    if text and not (port.isdecimal() and 0 < int(port) < 2**16):
        raise InputError(
            f"expected a port, or address:port, to wait on for a debugger; got {text!r}"
        )
    return f"{address or '127.0.0.1'}:{port}" if text else ""
