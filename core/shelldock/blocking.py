"""The synchronous face of the host, for scripts and tests: the same methods, on a loop of its own in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from shelldock.blueprints import Blueprint
from shelldock.host import AsyncHost
from shelldock.inputs import Inputs
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
    Resource,
    Sandbox,
    SandboxDetails,
    Shell,
    Target,
    Waiting,
)

P = ParamSpec("P")
T = TypeVar("T")


class Host:
    """Runs commands on driver instances. Use it as a context manager; any thread may call it.

    :param options: those of ``AsyncHost``.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="shelldock host", daemon=True)
        self.inner: AsyncHost
        """The asynchronous host; its methods belong to its own loop."""

    def __enter__(self) -> Self:
        """Start the host."""
        self._thread.start()
        try:
            self._run(self._enter())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop every instance with its ``cleanup``, and the host."""
        try:
            self._run(self.inner.__aexit__())
        finally:
            self._end()

    def execute(
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
    ) -> Execution:
        """Run a command to its end; see ``AsyncHost.execute``."""
        return self._run(
            self.inner.execute(
                target,
                command,
                inputs,
                ports=ports,
                endpoints=endpoints,
                limit=limit,
                pending=pending,
                prints=prints,
            )
        )

    def submit(
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
        user: str = "",
        request_key: str = "",
    ) -> Execution:
        """Have a command run; ``wait`` for its end."""
        return self._run(
            self.inner.submit(
                target,
                command,
                inputs,
                ports=ports,
                endpoints=endpoints,
                limit=limit,
                pending=pending,
                prints=prints,
                user=user,
                request_key=request_key,
            )
        )

    def execution(self, id: str) -> Execution:
        """The execution with this id as it is now; see ``AsyncHost.execution``."""
        return self._run(self.inner.execution(id))

    def history(
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
        """A page of the executions that there were, newest first; see ``AsyncHost.history``."""
        return self._run(
            self.inner.history(
                state=state,
                target=target,
                sandbox=sandbox,
                user=user,
                command=command,
                before=before,
                limit=limit,
            )
        )

    def wait(self, execution: str, timeout: float | None = None) -> Execution:
        """The execution with this id when it has ended, however. Raises ``TimeoutError`` after ``timeout`` seconds."""
        return self._start(self.inner.wait(execution)).result(timeout)

    def cancel(self, execution: str, *, force: bool = False) -> bool:
        """Cancel an execution; False if it has ended already. See ``AsyncHost.cancel``."""
        return self._run(self.inner.cancel(execution, force=force))

    def stop(self, key: str, reason: str = "asked to stop") -> None:
        """Stop the instance for a scope, with its ``cleanup``."""
        self._run(self.inner.stop(key, reason))

    def terminate(self, key: str, reason: str = "terminated") -> None:
        """End the instance for a scope at once."""
        self._run(self.inner.terminate(key, reason))

    def cancel_all(self, key: str, reason: str = "asked to cancel all") -> int:
        """Cancel all that runs on, or waits for, the instance for a scope, which stays. How many that were."""
        return self._run(self.inner.cancel_all(key, reason))

    def reset(self, key: str, reason: str = "reset") -> None:
        """Cancel all that runs on, or waits for, the instance for a scope, and stop it."""
        self._run(self.inner.reset(key, reason))

    def retry(self, key: str) -> None:
        """Let a driver that failed to start again and again be tried at once, with the next command."""
        self._run(self.inner.retry(key))

    def remove(self, name: str) -> list[Resource]:
        """Remove a resource and all below it; see ``AsyncHost.remove``."""
        return self._run(self.inner.remove(name))

    def start_blueprint(
        self,
        blueprint: Blueprint,
        *,
        name: str = "",
        owner: str = "admin",
        duration: float | None = None,
    ) -> SandboxDetails:
        """Start a sandbox with all that a blueprint names; see ``AsyncHost.start_blueprint``."""
        return self._run(
            self.inner.start_blueprint(blueprint, name=name, owner=owner, duration=duration)
        )

    def start_sandbox(
        self, sandbox: Sandbox, targets: Sequence[Target] = (), holds: Sequence[Hold] = ()
    ) -> None:
        """Make a sandbox known, and what is used in it."""
        self._run(self.inner.start_sandbox(sandbox, targets, holds))

    def extend_sandbox(self, id: str, ends: float | None) -> Sandbox:
        """Let a sandbox end at another time (Unix time); None: when somebody ends it."""
        return self._run(self.inner.extend_sandbox(id, ends))

    def end_sandbox(self, id: str, reason: str = "the sandbox ended") -> Sandbox:
        """End a sandbox: its commands are cancelled, the instances of its apps and services stop."""
        return self._run(self.inner.end_sandbox(id, reason))

    def sandbox(self, id: str) -> SandboxDetails:
        """A sandbox and what is in it, also when it has ended."""
        return self._run(self.inner.sandbox(id))

    def list_sandboxes(self, *, ended: bool = False, owner: str | None = None) -> list[Sandbox]:
        """The sandboxes that have not ended; see ``AsyncHost.list_sandboxes``."""
        return self._run(self.inner.list_sandboxes(ended=ended, owner=owner))

    def sandbox_output(self, id: str) -> list[Message]:
        """What commands returned and drivers wrote in a sandbox, also when it has ended."""
        return self._run(self.inner.sandbox_output(id))

    def locate(self, name: str, sandbox: str = "") -> Target:
        """What is called so: a resource of the inventory, or what is in a sandbox."""
        return self._call(self.inner.locate, name, sandbox)

    def drain(self, limit: float) -> None:
        """Take nothing new, cancel what waits, and let what runs end; see ``AsyncHost.drain``."""
        self._run(self.inner.drain(limit))

    def set_log_level(self, key: str, level: str) -> None:
        """Let the running instance for a scope log from ``level`` on."""
        self._run(self.inner.set_log_level(key, level))

    def discover(self, name: str) -> Resource:
        """Let the driver of a resource find its sub-resources, and keep them; see ``AsyncHost.discover``."""
        return self._run(self.inner.discover(name))

    def prepare(self, shell: Shell) -> Environment:
        """The environment of a shell's driver as of now, built if need be."""
        return self._run(self.inner.prepare(shell))

    def check(self, shell: str | Path) -> list[Finding]:
        """What is wrong with a shell, or will be, sorted by place."""
        return self._run(self.inner.check(shell))

    def interpreter(self, shell: Shell) -> Interpreter:
        """The Python that a shell's driver gets, and why."""
        return self._run(self.inner.interpreter(shell))

    def export_environments(self, shells: Sequence[Shell], file: Path) -> list[Environment]:
        """Write the environments of these shells' drivers into a file."""
        return self._run(self.inner.export_environments(shells, file))

    def import_environments(self, file: Path) -> list[Environment]:
        """Take in what ``export_environments`` wrote, perhaps on another machine."""
        return self._run(self.inner.import_environments(file))

    def open_shell(self, name: str | Path) -> Shell:
        """The installed shell of this name, or the one at this path."""
        return self._call(self.inner.open_shell, name)

    def shell(self, name: str) -> Shell:
        """The shell of this name."""
        return self._call(self.inner.shell, name)

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
        """Something that a shell drives, in no inventory; see ``AsyncHost.target``."""
        return self._call(
            self.inner.target,
            shell,
            name,
            address=address,
            attributes=attributes,
            kind=kind,
            sandbox=sandbox,
        )

    def output(self, sandbox: str) -> list[Message]:
        """What commands returned and drivers wrote in a sandbox, oldest first."""
        return self._call(self.inner.output, sandbox)

    def executions(self) -> list[Execution]:
        """Every execution that runs, and the newest of those that ended."""
        return self._call(self.inner.executions)

    def instances(self, *, memory: bool = True) -> list[Instance]:
        """Every live instance."""
        return self._run(self.inner.instances(memory=memory))

    def queue(self) -> list[Waiting]:
        """Every command that was accepted and does not run yet, and why."""
        return self._run(self.inner.queue())

    def affected(self, key: str) -> list[Execution]:
        """Whom it hits if the instance for a scope ends now."""
        return self._call(self.inner.affected, key)

    async def _enter(self) -> None:
        self.inner = AsyncHost(**self._options)
        await self.inner.__aenter__()

    def _call(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        async def call() -> T:
            return function(*arguments, **options)

        return self._run(call())

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = self._start(coroutine)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C in the caller's thread cancels what it waits for
            raise

    def _start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
