"""The way of every command through the host: accepted, sent to its instance, and ended in the record."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from shelldock.errors import (
    ClosingError,
    ConflictError,
    InputError,
    NotFoundError,
    ShelldockError,
    StoreError,
)
from shelldock.executions import ENDED, Executions
from shelldock.fleet import Fleet
from shelldock.inputs import DISCOVERY, Inputs, check
from shelldock.model import (
    Call,
    Connectivity,
    Execution,
    Failure,
    Limit,
    Message,
    Outcome,
    Request,
    Resource,
    Sandbox,
    Shell,
    Target,
    Value,
    Waiting,
)
from shelldock.ongoing import Ongoing
from shelldock.plugins import Plugins
from shelldock.requests import Requests
from shelldock.reservations import Reservations
from shelldock.sandboxes import NO_SANDBOX, Sandboxes
from shelldock.settings import Settings
from shelldock.targets import Targets
from shelldock.tokens import Tokens

log = logging.getLogger(__name__)

ON_ITS_WAY: Final = 0.005
"""Seconds between two looks for a command that is between the queue and its instance."""


class Asked(Value, frozen=True, kw_only=True):
    """What somebody wants to be run; the fields are the parameters of ``AsyncHost.submit``."""

    target: Target | str
    command: str
    inputs: Inputs | None = None
    ports: Sequence[str] = ()
    endpoints: Sequence[Resource] = ()
    limit: float | None = None
    pending: float | None = None
    prints: bool = True
    parent: str = ""
    user: str = ""

    @property
    def said(self) -> bytes:
        """All that makes it another request, whatever has become of its target meanwhile."""
        target = self.target
        if isinstance(target, Target):
            sandbox = target.sandbox.id if target.sandbox else NO_SANDBOX
            whom = [target.kind, target.name, sandbox]
        else:
            whom = [target]
        names = [one.name for one in self.endpoints]
        limits = [self.limit, self.pending]
        return msgspec.json.encode(
            [whom, self.command, self.inputs, self.ports, names, *limits, self.prints]
        )


class Commands:
    """Runs commands, and knows those that have not ended.

    :param settings: those of now.
    :param origin: the node of this host, which is told when a command starts.
    :param ready: whether that node runs a command for a key without having it wait.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        origin: str,
        plugins: Plugins,
        targets: Targets,
        sandboxes: Sandboxes,
        reservations: Reservations,
        executions: Executions,
        requests: Requests,
        fleet: Fleet,
        tokens: Tokens,
        ready: Callable[[str, Shell], bool],
    ) -> None:
        self.connectivity = Connectivity()
        """Where drivers find the API."""
        self.open = False
        self.closing = False
        """Nothing new is taken any more, but what a running driver asks for."""
        self._settings = settings
        self._origin = origin
        self._plugins = plugins
        self._targets = targets
        self._sandboxes = sandboxes
        self._reservations = reservations
        self._executions = executions
        self._requests = requests
        self._fleet = fleet
        self._tokens = tokens
        self._ready = ready
        self._ongoing = Ongoing(executions.runs, self._room)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # How many wait to be accepted before they go on, by key.
        self._held: Counter[str] = Counter()

    # ---- from acceptance to end -----------------------------------------------------------------

    async def execute(self, asked: Asked) -> Execution:
        """Run a command to its end. If the caller is cancelled, so is the command."""
        accepted = await self.submit(asked)
        try:
            execution = await self._executions.wait(accepted.id)
        except asyncio.CancelledError:
            if accepted.id in self._tasks:
                await self.cancel(accepted.id, force=True)
            raise
        if execution.failure is not None:
            raise execution.failure.error()
        return execution

    async def submit(self, asked: Asked, request: Request | None = None) -> Execution:
        """Have a command run; with ``request``, once however often it is asked for."""
        if request is None:
            return await self._accept(asked, None)
        found = await self._requests.once(
            asked.user, request, partial(self._accept, asked, request)
        )
        return await self._executions.find(found) if isinstance(found, str) else found

    def refuse_closed(self, parent: str = "") -> None:
        """Raise ``ConflictError`` where no host is open, and ``ClosingError`` where it takes nothing new."""
        if not self.open:
            raise ConflictError("the host is not open: use it as a context manager")
        if self.closing and not parent:
            raise ClosingError

    async def _accept(self, asked: Asked, request: Request | None) -> Execution:
        self.refuse_closed(asked.parent)
        target = asked.target
        if asked.command != DISCOVERY:
            self._targets.refuse_excluded(target)
        if isinstance(target, Target):
            self._reservations.refuse_ended(target.sandbox)
        target = self._targets.current(target)
        shell = self._targets.shell(target.resource.shell)
        if shell.driver is None:
            raise NotFoundError(
                "driver of shell", shell.name, hint="the shell has none, so it takes no commands"
            )
        given = check(shell.driver, asked.command, asked.inputs or {})
        endpoints = asked.endpoints
        if asked.ports and not endpoints:
            endpoints = await asyncio.to_thread(self._targets.connected, asked.ports)
        key = self._plugins.scope(target)
        root = target.resource.root
        declared = shell.driver.command(asked.command)
        chain = self._ongoing.chain(asked.parent)
        call = Call(
            execution=secrets.token_hex(8),
            target=target,
            command=asked.command,
            tags=declared.tags if declared else (),
            inputs=given,
            ports=tuple(asked.ports),
            endpoints=tuple(endpoints),
            connectivity=self.connectivity,
            chain=(*chain, key),
            limit=self._limit("command", asked.limit, shell, root),
            pending=self._limit("pending", asked.pending, shell, root),
            prints=asked.prints,
            origin=self._origin,
        )
        self._ongoing.begin(key, call, asked.parent)
        execution = self._executions.accept(call, chain=chain, user=asked.user, request=request)
        self._tasks[execution.id] = asyncio.create_task(
            self._run(key, shell, call), name=f"execution {execution.id}"
        )
        await self._executions.accepted(execution.id)
        return execution

    async def _run(self, key: str, shell: Shell, call: Call) -> None:
        try:
            outcome = await self._outcome(key, shell, call)
            execution = await self._executions.end(call.execution, outcome)
        except (StoreError, InputError):
            return  # it could not be recorded that it was accepted: whoever asked hears of it
        finally:
            self._ongoing.end(call.execution)
            self._tasks.pop(call.execution, None)
        if call.prints and execution.result:
            self._print(execution, execution.result)

    async def _outcome(self, key: str, shell: Shell, call: Call) -> Outcome:
        try:
            if not self._executions.is_accepted(call.execution) and not self._may_start(key, shell):
                await self._acceptance(key, call.execution)
            self._reservations.refuse_ended(call.target.sandbox)  # while it was being recorded
            return await self._fleet.execute(key, shell, self._with_context(call))
        except ShelldockError as error:
            return Outcome(failure=Failure.of(error))
        except Exception as error:  # ours to mend; but whoever waits must hear of it
            log.exception("execution %s", call.execution)
            message = f"internal error, please report it: {type(error).__name__}: {error}"
            return Outcome(failure=Failure(code="error", message=message))

    def _may_start(self, key: str, shell: Shell) -> bool:
        """Whether a command may run that is still being accepted: then it is recorded as running in the same go.

        No instance is started for what may yet be refused, and none passes another that came before it.
        """
        return key not in self._held and self._ready(key, shell)

    async def _acceptance(self, key: str, execution: str) -> None:
        self._held[key] += 1
        try:
            await self._executions.accepted(execution)
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]

    def _print(self, execution: Execution, text: str) -> None:
        message = Message(
            text=text,
            at=execution.ended or execution.accepted,
            execution=execution.id,
            target=execution.target,
            command=execution.command,
        )
        self._sandboxes.write(execution.sandbox, message)

    # ---- what drivers are told ------------------------------------------------------------------

    def renewed(self, call: Call) -> Call:
        """A call that has waited, as of now. Raises ``NotFoundError`` where its resource was removed."""
        return self._with_context(replace(call, target=self._targets.renewed(call.target)))

    def _with_context(self, call: Call) -> Call:
        """The call with a token of its own, and what the driver is told of the target as it is now (C9, I15)."""
        token = self._tokens.mint(call.execution)
        call = replace(call, connectivity=replace(call.connectivity, token=token))
        return replace(call, context=self._plugins.context(call))

    # ---- ending them ----------------------------------------------------------------------------

    async def cancel(self, execution: str, *, force: bool = False) -> bool:
        """Cancel an execution; see ``AsyncHost.cancel``."""
        state = (await self._executions.find(execution)).state
        if state in ENDED:
            return False
        call = self._ongoing.call(execution)
        if state == "running" and not force and not self._can_be_cancelled(call):
            raise ConflictError(
                f"{call.command!r} of {call.target.name!r} cannot be cancelled, as its shell does not say that it can; "
                "let it end, cancel it by force, or terminate the instance"
            )
        key = self._ongoing.key(execution)
        while self._executions.get(execution).state not in ENDED:
            if await self._fleet.on_claimed(key, "cancel", execution):
                return True
            # neither queued nor running yet, or about to be recorded
            await asyncio.sleep(ON_ITS_WAY)
        return False

    async def release(self, sandbox: Sandbox, targets: Sequence[Target]) -> None:
        """Cancel what runs in a sandbox that ends, and stop what is its own (I9)."""
        for execution in self._ongoing.within(sandbox.id):
            with suppress(ShelldockError):  # it has just ended by itself
                await self.cancel(execution, force=True)
        own = {self._plugins.scope(one) for one in targets if one.kind != "resource"}
        still_used = {
            self._plugins.scope(one)
            for one in self._sandboxes.targets()
            if not (one.sandbox and one.sandbox.id == sandbox.id)
        }
        await asyncio.gather(
            *(self._fleet.on_claimed(key, "reset", sandbox.reason) for key in own - still_used)
        )

    async def drain(self, limit: float) -> None:
        """Take nothing new, cancel what waits, and let what runs end within ``limit`` seconds."""
        self.closing = True
        for one in self._executions.all():
            if one.state == "accepted":
                with suppress(ShelldockError):
                    await self.cancel(one.id, force=True)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=limit)

    async def settled(self) -> None:
        """Wait until every command has ended in the record."""
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    # ---- what there is --------------------------------------------------------------------------

    def affected(self, key: str) -> list[Execution]:
        """What runs on the instance for ``key``, and waits for it."""
        of_key = set(self._ongoing.of(key))
        return [one for one in self._executions.all() if one.id in of_key]

    async def queue(self) -> list[Waiting]:
        """Every command that was accepted and does not run yet, and why (Q3)."""
        found = await self._fleet.queue()
        placed = {one.execution for one in found}
        return found + [
            self._ongoing.waiting(one.id, one.accepted)
            for one in self._executions.all()
            if one.state == "accepted" and one.id not in placed
        ]

    def _room(self, call: Call) -> float:
        """How many commands the instance for a call runs at once."""
        return self._plugins.concurrency(
            self._targets.shell(call.target.resource.shell), call.target
        )

    def _limit(self, clock: str, given: float | None, shell: Shell, element: str) -> Limit:
        if given is not None:
            return Limit(seconds=given, source="call")
        return self._settings().limit(clock, shell.name, element)

    def _can_be_cancelled(self, call: Call) -> bool:
        driver = self._targets.shell(call.target.resource.shell).driver
        command = driver.command(call.command) if driver else None
        return command is None or command.cancellable
