"""The operations of the Automation API that have commands run, each waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from shelldock.errors import InputError
from shelldock.inputs import Inputs
from shelldock.model import Kind
from shelldock_compat.backend import Backend
from shelldock_compat.connected import executors
from shelldock_compat.infos import (
    CommandExecutionCompletedResultInfo,
    CommandExecutionIdResponseInfo,
)
from shelldock_compat.replies import Info
from shelldock_compat.requests import Operation

Answer = Callable[[Operation], Awaitable[Info | None]]

_KINDS: Final[Mapping[str, Kind]] = {"resource": "resource", "service": "service", "app": "app"}


class Commanding:
    """What may be asked of other drivers, by name (A3). A driver that waits for itself is refused (I16)."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._answers: Final[dict[str, Answer]] = {
            "AutoLoad": self._auto_load,
            "CancelResourceCommand": self._cancel_resource_command,
            "EnqueueCommand": self._enqueue_command,
            "EnqueueResourceCommand": self._enqueue_resource_command,
            "EnqueueServiceCommand": self._enqueue_service_command,
            "ExecuteCommand": self._execute_command,
            "ExecuteResourceCommand": self._execute_resource_command,
            "ExecuteResourceConnectedCommand": self._execute_connected_command,
            "ExecuteServiceCommand": self._execute_service_command,
            "ResetResourceDriver": self._reset_resource_driver,
        }

    @property
    def names(self) -> list[str]:
        """All operations, as clients spell them."""
        return list(self._answers)

    async def answer(self, operation: Operation) -> Info | None:
        """Do ``operation``, whose name must be one of ``names``."""
        return await self._answers[operation.name](operation)

    # ---- by named inputs --------------------------------------------------------------------------

    async def _execute_command(self, asked: Operation) -> Info:
        return await self._execute(
            asked, asked.fields.text("targetName"), _kind(asked), _named(asked)
        )

    async def _enqueue_command(self, asked: Operation) -> Info:
        return await self._enqueue(
            asked, asked.fields.text("targetName"), _kind(asked), _named(asked)
        )

    # ---- by values in the order of the parameters -------------------------------------------------

    async def _execute_resource_command(self, asked: Operation) -> Info:
        name = asked.fields.text("resourceFullPath")
        return await self._execute(asked, name, "resource", _positional(asked))

    async def _enqueue_resource_command(self, asked: Operation) -> Info:
        name = asked.fields.text("resourceFullPath")
        return await self._enqueue(asked, name, "resource", _positional(asked))

    async def _execute_service_command(self, asked: Operation) -> Info:
        name = asked.fields.text("serviceAlias")
        return await self._execute(asked, name, "service", _positional(asked))

    async def _enqueue_service_command(self, asked: Operation) -> Info:
        name = asked.fields.text("serviceAlias")
        return await self._enqueue(asked, name, "service", _positional(asked))

    async def _execute_connected_command(self, asked: Operation) -> Info:
        """Run it on each device that is connected, one after the other, until one of them fails."""
        fields = asked.fields
        devices = executors(
            self._backend,
            self._backend.resource(fields.text("resourceFullPath"), asked.subject).name,
            fields.text("commandName"),
            fields.text("commandTag"),
            fields.texts("connectedPortsFullPath"),
            asked.subject,
        )
        answers = [
            await self._execute(asked, name, "resource", _positional(asked), ports)
            for name, ports in devices.items()
        ]
        return CommandExecutionCompletedResultInfo("\n".join(one.output for one in answers))

    # ---- drivers ----------------------------------------------------------------------------------

    async def _cancel_resource_command(self, asked: Operation) -> None:
        await self._backend.cancel(asked.fields.text("commandId"))

    async def _reset_resource_driver(self, asked: Operation) -> Info:
        fields = asked.fields
        await self._backend.reset(
            fields.text("resourceFullPath"), fields.text("reservationId"), asked.subject
        )
        return CommandExecutionCompletedResultInfo("")  # clients build it, and it tells nothing

    async def _auto_load(self, asked: Operation) -> None:
        await self._backend.discover(asked.fields.text("resourceFullPath"), asked.subject)

    async def _execute(
        self, asked: Operation, name: str, kind: Kind, inputs: Inputs, ports: Sequence[str] = ()
    ) -> CommandExecutionCompletedResultInfo:
        fields = asked.fields
        ended = await self._backend.execute(
            name,
            kind,
            fields.text("commandName"),
            inputs,
            fields.text("reservationId"),
            asked.subject,
            ports=ports,
            prints=fields.holds("printOutput"),
        )
        if ended.failure is not None:
            raise ended.failure.error()
        return CommandExecutionCompletedResultInfo(ended.result or "")

    async def _enqueue(self, asked: Operation, name: str, kind: Kind, inputs: Inputs) -> Info:
        fields = asked.fields
        accepted = await self._backend.enqueue(
            name,
            kind,
            fields.text("commandName"),
            inputs,
            fields.text("reservationId"),
            asked.subject,
            prints=fields.holds("printOutput"),
        )
        return CommandExecutionIdResponseInfo(accepted.id)


def _kind(asked: Operation) -> Kind:
    said = asked.fields.text("targetType")
    if said.casefold() not in _KINDS:
        raise InputError(f"the target type is {said!r}; expected Resource, Service or App")
    return _KINDS[said.casefold()]


def _named(asked: Operation) -> dict[str, str]:
    return {one.text("Name"): one.value() for one in asked.fields.objects("commandInputs")}


def _positional(asked: Operation) -> list[str]:
    return asked.fields.texts("parameterValues")
