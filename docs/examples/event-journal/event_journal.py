"""Writes down every change, one JSON object a line, for whoever wants to know later what happened."""

import errno
import logging
import os
import time
from pathlib import Path

import msgspec
from msgspec.structs import replace

from shelldock import hookimpl
from shelldock.model import Environment, Execution, Instance, Sandbox, Value
from shelldock.paths import Paths

log = logging.getLogger(__name__)


class EventJournal(Value, frozen=True, kw_only=True):
    """What cannot be written is lost, and the host goes on."""

    path: str = ""
    """Where to write; empty: ``events.jsonl`` in the folder of the logs."""

    @hookimpl
    def shelldock_instance_changed(self, instance: Instance) -> None:
        """Write down how the instance is now."""
        self._write(instance=instance)

    @hookimpl
    def shelldock_execution_changed(self, execution: Execution) -> None:
        """Write down how the execution is now, without what was given and returned: it may be secret, or large."""
        self._write(execution=replace(execution, inputs={}, result=None, messages=()))

    @hookimpl
    def shelldock_environment_changed(self, environment: Environment) -> None:
        """Write down how the environment is now."""
        self._write(environment=environment)

    @hookimpl
    def shelldock_sandbox_changed(self, sandbox: Sandbox) -> None:
        """Write down how the sandbox is now."""
        self._write(sandbox=sandbox)

    def _write(self, **event: Value) -> None:
        file = Path(self.path) if self.path else Paths.default(os.environ).logs / "events.jsonl"
        line = msgspec.json.encode({"at": time.time(), **event}, enc_hook=str) + b"\n"
        try:
            append(file, line)
        except OSError as error:
            log.warning("lost an event, as %s cannot be written: %s", file, error.strerror)


def append(file: Path, line: bytes) -> None:
    """Add a line, or nothing: where the disk is full, half a line would spoil the next one as well."""
    journal = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        written = os.write(journal, line)
        if written < len(line):
            os.ftruncate(journal, os.fstat(journal).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(journal)
