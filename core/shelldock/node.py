"""An execution server: the environments, fork servers and instances of one machine."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import shutil
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from shelldock import descriptors, merging
from shelldock.environments import Environments, Hold
from shelldock.errors import NotFoundError, PluginError, ShelldockError
from shelldock.fabric import Fabric
from shelldock.forkserver import ForkServer, Way
from shelldock.instance import DriverInstance, Limits
from shelldock.logs import instance_log
from shelldock.model import (
    NO_LIMIT,
    Call,
    Environment,
    Failure,
    Instance,
    Interpreter,
    Limit,
    Outcome,
    Shell,
    Waiting,
)
from shelldock.model import Node as NodeInfo
from shelldock.paths import Paths
from shelldock.plugins import Plugins
from shelldock.rooms import Room
from shelldock.scope import Scope
from shelldock.settings import Settings
from shelldock.starts import Rules
from shelldock.turns import QueueRules
from shelldock.variables import Variables

log = logging.getLogger(__name__)

DEBUGGER = "debugpy"
"""What editors attach to; the standard library has nothing that listens."""

VERBS = frozenset({
    "execute", "cancel", "cancel_all", "queue", "instances", "stop", "terminate", "reset", "retire", "retry",
    "set_log_level", "prepare", "started", "renewed",
})  # fmt: skip


class Node:
    """Runs instances on this machine. Other machines reach the methods named in ``VERBS``; their arguments are data.

    :param started: told the execution and the instance when a command starts to run.
    :param renewed: the call of a command that has waited, as of now; raises where it can no longer run.
    :param python: the interpreter that the user asked for, for every driver; None: the plugins choose.
    :param debug: ``address:port`` on which drivers wait for a debugger before they initialize; empty: they do not.
    :param variables: the environment variables of drivers; by default those of the settings.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        paths: Paths,
        plugins: Plugins,
        environments: Environments,
        fabric: Fabric,
        started: Callable[[str, str], Awaitable[None]],
        renewed: Callable[[Call], Call],
        *,
        python: str | None = None,
        fresh: bool = False,
        debug: str = "",
        variables: Variables | None = None,
    ) -> None:
        self.name = name
        self._fork_servers: dict[tuple[str, str], asyncio.Task[ForkServer]] = {}
        self._settings = settings
        self._paths = paths
        self._plugins = plugins
        self._environments = environments
        self._fabric = fabric
        self._started = started
        self._renewed = renewed
        self._python = python
        self._debug = debug
        self._variables = variables or Variables(settings)
        self._scopes: dict[str, Scope] = {}
        self._instances: dict[str, DriverInstance] = {}
        self._holds: dict[tuple[str, str], Hold] = {}
        self._unused_since: dict[tuple[str, str], float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room: Room
        limits = settings.limits
        self._rules = QueueRules(
            most=settings.instances.queue,
            source=settings.source("instances.queue"),
            starts=Rules(
                attempts=settings.instances.start_attempts,
                pause=limits.backoff,
                rest=limits.broken,
            ),
        )
        self._way = Way(
            fresh=fresh,
            pycache=paths.cache / "bytecode",
            start_limit=limits.start,
            start_source=settings.source("limits.start"),
            host_lost=limits.host_lost,
            result_bytes=limits.result_bytes,
            merge_memory=settings.instances.merge_memory,
            log_bytes=settings.logs.max_bytes,
            log_keep=settings.logs.keep,
        )

    @property
    def info(self) -> NodeInfo:
        """What others know of this node."""
        said = self._settings.node
        return NodeInfo(
            name=self.name, labels=said.labels, slots=said.slots, instances=len(self._instances)
        )

    def reload(self, settings: Settings) -> None:
        """Use other settings for the instances to come. Raises ``SettingsError``, and then changes nothing."""
        self._variables.reload(settings)
        self._settings = settings

    async def open(self) -> None:
        """Join the others."""
        self._way = replace(self._way, open_files=descriptors.raise_limit())
        if self._way.merge_memory and (obstacle := merging.obstacle()):
            source = self._settings.source("instances.merge_memory")
            log.warning("memory of instances is not merged: %s (set by: %s)", obstacle, source)
        self._room = await asyncio.to_thread(Room.open, self._paths.instances)
        try:
            await self._fabric.join(self.info, self.serve)
        except BaseException:
            await asyncio.to_thread(self._room.close)
            raise

    async def serve(self, verb: str, arguments: tuple[object, ...]) -> object:
        """Answer a call that came over the fabric."""
        if verb not in VERBS:
            raise NotFoundError("verb", verb, VERBS)
        return await getattr(self, verb)(*arguments)

    def ready(self, key: str, shell: Shell) -> bool:
        """Whether a command for ``key`` would run here without waiting."""
        scope = self._scopes.get(key)
        return scope is not None and scope.ready(shell) is not None

    # ---- verbs ----------------------------------------------------------------------------------

    async def execute(self, key: str, shell: Shell, call: Call) -> Outcome:
        """Run a command on the instance for ``key``, which is started if need be. Never raises what the driver did."""
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope(key, self._rules, self._start_for(key), self._emptied)
        try:
            result, instance = await scope.run(shell, call, self._begun, self._as_of_now)
        except ShelldockError as error:
            return Outcome(failure=Failure.of(error))
        environment = instance.environment
        return Outcome(
            result=result, instance=instance.id, environment=environment.name if environment else ""
        )

    async def cancel(self, key: str, execution: str) -> bool:
        """Cancel a queued or running command. False: it is not here."""
        scope = self._scopes.get(key)
        return scope.cancel(execution) if scope else False

    async def cancel_all(self, key: str, reason: str) -> int:
        """Cancel all queued and running commands for ``key``; the instance stays. How many that were."""
        scope = self._scopes.get(key)
        return scope.cancel_all(reason) if scope else 0

    async def queue(self) -> list[Waiting]:
        """What waits here, and for what."""
        return [one for scope in self._scopes.values() for one in scope.queue(self.name)]

    async def stop(self, key: str, reason: str) -> None:
        """Stop the instance for ``key`` with its ``cleanup``."""
        scope = self._scopes.get(key)
        if scope is not None:
            await scope.stop(reason)

    async def terminate(self, key: str, reason: str) -> None:
        """End the instance for ``key`` at once."""
        scope = self._scopes.get(key)
        if scope is not None:
            await scope.terminate(reason)

    async def set_log_level(self, key: str, level: str) -> None:
        """Let the instance for ``key`` log from ``level`` on (L1)."""
        scope = self._scopes.get(key)
        if scope is None or scope.instance is None:
            raise NotFoundError("instance", key, [one.key for one in self._instances.values()])
        scope.instance.set_log_level(level)

    async def reset(self, key: str, reason: str) -> None:
        """Empty the queue for ``key``, cancel what runs, and stop the instance (I11)."""
        scope = self._scopes.get(key)
        if scope is not None:
            await scope.retire(reason, grace=self._settings.limits.cancel_grace)

    async def retire(self, key: str, reason: str) -> None:
        """Empty the queue for ``key``, let what runs go on to its end, then stop the instance (I10)."""
        scope = self._scopes.get(key)
        if scope is not None:
            await scope.retire(reason, grace=None)

    async def retry(self, key: str) -> None:
        """Let a driver that failed to start be tried again at once."""
        scope = self._scopes.get(key)
        if scope is not None:
            scope.retry()

    async def instances(self, memory: bool = False) -> list[Instance]:
        """What lives here now."""
        live = [
            instance.info(self.name, self._waiting(instance.key), memory=memory)
            for instance in self._instances.values()
        ]
        return live + [
            one for scope in self._scopes.values() if (one := scope.broken(self.name)) is not None
        ]

    async def prepare(self, shell: Shell) -> Environment:
        """The environment of the shell's driver as of now, built if need be."""
        if self._debug and shell.driver:
            shell = replace(shell, driver=replace(shell.driver, tools=(DEBUGGER,)))
        return await self._environments.ready(shell, self._python, self._plugins)

    async def interpreter(self, shell: Shell) -> Interpreter:
        """What the shell's driver would run on, were its needs resolved now."""
        return await asyncio.to_thread(self._plugins.python, shell, self._python)

    async def started(self, execution: str, instance: str) -> None:
        """Hear that a command of this node's host has started on an instance, here or elsewhere."""
        await self._started(execution, instance)

    async def renewed(self, call: Call) -> Call:
        """A call of this node's host as of now, as it has waited somewhere."""
        return self._renewed(call)

    # ---- clocks ---------------------------------------------------------------------------------

    def expire(self, now: float) -> None:
        """Cancel what has waited for its turn for longer than it may.

        :param now: seconds on the monotonic clock.
        """
        for scope in list(self._scopes.values()):
            if scope.waiting:
                scope.expire(now)

    def stop_idle(self, now: float) -> None:
        """Stop, in the background, the instances and fork servers that had nothing to do for their limit.

        :param now: seconds on the monotonic clock.
        """
        for scope in list(self._scopes.values()):
            instance = scope.idle
            if instance is None:
                continue
            if instance.idle_limit is None:
                instance.idle_limit = self._idle_limit(instance)
            if now - instance.idle_from >= instance.idle_limit:
                self._spawn(instance.stop(f"idle for {instance.idle_limit:g} s"))
        for key, task in list(self._fork_servers.items()):
            self._end_unused(key, task, now)

    def _idle_limit(self, instance: DriverInstance) -> float:
        try:
            return self._plugins.idle_limit(instance.info(self.name))
        except PluginError:
            log.exception("no idle limit for %s; it stays", instance.key)
            return NO_LIMIT

    def _end_unused(self, key: tuple[str, str], task: asyncio.Task[ForkServer], now: float) -> None:
        if (
            not task.done()
            or task.cancelled()
            or task.exception() is not None
            or task.result().processes
        ):
            self._unused_since.pop(key, None)
        elif now - self._unused_since.setdefault(key, now) >= self._settings.limits.fork_server:
            self._spawn(self._end_fork_server(key))

    # ---- end ------------------------------------------------------------------------------------

    async def close(self, reason: str) -> None:
        """Refuse what waits, cancel what runs, let all clean up, and end the fork servers."""
        grace = self._settings.limits.cancel_grace
        await asyncio.gather(*(scope.close(reason, grace) for scope in list(self._scopes.values())))
        await asyncio.gather(*(self._end_fork_server(key) for key in list(self._fork_servers)))
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._fabric.leave(self.name)
        await asyncio.to_thread(self._room.close)

    # ---- starting -------------------------------------------------------------------------------

    def _start_for(self, key: str) -> Callable[[Shell, Call], asyncio.Task[DriverInstance]]:
        return lambda shell, call: asyncio.create_task(
            self._start(key, shell, call), name=f"start {key}"
        )

    async def _start(self, key: str, shell: Shell, call: Call) -> DriverInstance:
        """A new instance for ``key``, initialized."""
        assert shell.driver is not None
        instance_id = secrets.token_hex(4)
        instance = DriverInstance(
            instance_id,
            key,
            shell,
            call.target.name,
            self._limits(shell, call),
            self._plugins.concurrency(shell, call.target),
            self._changed,
        )
        folder = self._room.folder / instance_id
        self._instances[instance_id] = instance
        self._changed(instance)
        try:
            instance.environment, server = await self._ready(shell)
            instance.log = instance_log(self._paths, key, instance_id)
            process = await server.spawn(
                instance_id,
                folder,
                instance.log,
                self._environ(instance),
                concurrent=instance.concurrency > 1,
                about=_about(instance),
            )
            process.gone.add_done_callback(
                lambda _: self._spawn(asyncio.to_thread(shutil.rmtree, folder, True))
            )
            first = replace(call, command="initialize", inputs={}, ports=(), endpoints=())
            await instance.initialize(process, self._plugins.context(first), call.execution)
        except BaseException:
            await instance.terminate("it could not start")
            raise
        return instance

    def _limits(self, shell: Shell, call: Call) -> Limits:
        root = call.target.resource.root
        return Limits(
            initialize=Limit()
            if self._debug
            else self._settings.limit("initialize", shell.name, root),
            cancel_grace=self._settings.limit("cancel_grace", shell.name, root),
            cleanup=self._settings.limit("cleanup", shell.name, root),
        )

    async def _ready(self, shell: Shell) -> tuple[Environment, ForkServer]:
        """The environment and the fork server for a new instance."""
        environment = await self.prepare(shell)
        try:
            return environment, await self._fork_server(shell, environment)
        except NotFoundError:  # another process collected it just now: it is made again
            environment = await self.prepare(shell)
            return environment, await self._fork_server(shell, environment)

    def _environ(self, instance: DriverInstance) -> dict[str, str]:
        assert instance.log is not None
        environ = {"LOG_PATH": str(instance.log.with_suffix("")), "SHELLDOCK_INSTANCE": instance.id}
        return environ | ({"SHELLDOCK_DEBUG": self._debug} if self._debug else {})

    async def _fork_server(self, shell: Shell, environment: Environment) -> ForkServer:
        """The fork server of the environment and the driver; whoever needs it first starts it."""
        assert shell.driver is not None
        # Shells may share a driver and differ in its variables, which it may read when it is imported.
        variables = sorted(self._variables.of(shell.name).items())
        key = (environment.name, f"{shell.driver.digest}{shell.driver.source}{variables}")
        task = self._fork_servers.get(key)
        if task is None or (task.done() and not _usable(task)):
            self._forget_fork_server(key)
            task = self._fork_servers[key] = asyncio.create_task(
                self._start_fork_server(key, shell, environment)
            )
        try:
            return await asyncio.shield(task)
        except ShelldockError:
            if self._fork_servers.get(key) is task:
                self._forget_fork_server(key)
            raise

    async def _start_fork_server(
        self, key: tuple[str, str], shell: Shell, environment: Environment
    ) -> ForkServer:
        assert shell.driver is not None
        self._holds[key] = self._environments.hold(environment)
        name = f"{environment.name}-{hashlib.sha256(key[1].encode()).hexdigest()[:8]}"
        return await ForkServer.start(
            environment,
            shell.driver,
            self._way,
            self._room.folder / f"fork-server-{name}",
            self._paths.logs / "fork-servers" / f"{name}.log",
            inherited=(self._room.fileno(),),
            variables=self._variables.of(shell.name),
        )

    async def _end_fork_server(self, key: tuple[str, str]) -> None:
        task = self._fork_servers.get(key)
        if task is not None:
            task.cancel()  # nothing, where it has started already
            await asyncio.wait({task})
            if _usable(task):
                await task.result().end()
        self._forget_fork_server(key)

    def _forget_fork_server(self, key: tuple[str, str]) -> None:
        self._fork_servers.pop(key, None)
        self._unused_since.pop(key, None)
        hold = self._holds.pop(key, None)
        if hold is not None:
            hold.release()

    # ---- the host that asks -----------------------------------------------------------------------

    async def _begun(self, call: Call, instance: str) -> None:
        if call.origin in ("", self.name):
            await self._started(call.execution, instance)
        else:
            await self._fabric.call(call.origin, "started", call.execution, instance)

    async def _as_of_now(self, call: Call) -> Call:
        if call.origin in ("", self.name):
            return self._renewed(call)
        answer = await self._fabric.call(call.origin, "renewed", call)
        assert isinstance(answer, Call)
        return answer

    # ---- hearing --------------------------------------------------------------------------------

    def _changed(self, instance: DriverInstance) -> None:
        if instance.state == "gone":
            self._instances.pop(instance.id, None)
        if self._plugins.hears("shelldock_instance_changed"):
            self._plugins.instance_changed(instance.info(self.name, self._waiting(instance.key)))
        scope = self._scopes.get(instance.key)
        if scope is not None:
            scope.changed(instance)

    def _waiting(self, key: str) -> int:
        scope = self._scopes.get(key)
        return scope.waiting if scope else 0

    def _emptied(self, scope: Scope) -> None:
        if self._scopes.get(scope.key) is scope:
            del self._scopes[scope.key]
            self._spawn(self._release(scope.key))

    async def _release(self, key: str) -> None:
        claim = await self._fabric.find(key)
        if claim is not None and claim.node == self.name and key not in self._scopes:
            await self._fabric.release(claim)

    def _spawn(self, work: asyncio.Future[None] | object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _about(instance: DriverInstance) -> str:
    environment = instance.environment.name if instance.environment else "none"
    shell = f"shell {instance.shell.name!r} {instance.shell.version}".rstrip()
    return f"instance {instance.id} of {instance.target!r}, {shell}, environment {environment}"


def _usable(task: asyncio.Task[ForkServer]) -> bool:
    """Whether a fork server that was started is still there."""
    if task.cancelled() or task.exception() is not None:
        return False
    return not task.result().ended.done()
