"""An instance's life against a small model of the rules: whatever happens to it, in whatever order.

``pytest tests/system/test_model.py --hypothesis-profile=thorough`` takes minutes and looks further.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hypothesis import settings as hypothesis
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.workshop import Workshop, alive

from shelldock import Host, hookimpl
from shelldock.model import NO_LIMIT, Execution, Instance, Resource, Target
from shelldock.paths import Paths
from shelldock.settings import load

KEY = "resource/box"
PATIENCE = 20.0
"""Seconds for whatever the model foresees to happen."""

HOME = Path(tempfile.mkdtemp(prefix="shelldock-model-"))
"""The environment of the driver is the same in all examples, and is made once."""

DRIVER = """
def initialize(self, context):
    note("initialize")
    if os.path.exists({home!r} + "/refuses"):
        raise OSError("not now")

def quick(self, context, label):
    note("begin " + label)
    note("end " + label)

def boom(self, context, label):
    note("begin " + label)
    note("end " + label)
    raise ValueError(label)

def die(self, context, label):
    note("begin " + label)
    os._exit(3)

def block(self, context, label, cancellation_context):
    note("begin " + label)
    while not (cancellation_context.is_cancelled or os.path.exists({home!r} + "/release " + label)):
        time.sleep(0.005)
    note("end " + label)

# version {version}
"""


class Job(NamedTuple):
    """A command that was asked for."""

    label: str
    command: str
    version: int


class Model:
    """What has to happen: one at a time, first in, first out; ``initialize`` first, ``cleanup`` last and once.

    Of an instance that ended by itself or was terminated there is no cleanup.
    """

    def __init__(self) -> None:
        self.events: list[str] = []
        self.ends: dict[str, str] = {}
        self.queue: deque[Job] = deque()
        self.running: Job | None = None
        self.serves: int | None = None
        """The version of the driver that is alive, if one is."""
        self.refuses = False

    def advance(self) -> None:
        """Run what can run now."""
        while self.queue and self.running is None:
            job = self.queue.popleft()
            if not self.has_instance_for(job):
                self.ends[job.label] = "failed driver"
                continue
            self.events.append(f"begin {job.label}")
            if job.command == "block":
                self.running = job
            elif job.command == "die":
                self.end(job, "failed lost", noted=False)
                self.serves = None
            else:
                self.end(job, "completed" if job.command == "quick" else "failed driver")

    def has_instance_for(self, job: Job) -> bool:
        """Start one, where there is none that runs this version."""
        if self.serves == job.version:
            return True
        if self.serves is not None:
            self.stop()
        self.events += ["construct", "initialize"]
        self.serves = None if self.refuses else job.version
        return not self.refuses

    def end(self, job: Job, how: str, *, noted: bool = True) -> None:
        """A command has ended."""
        self.ends[job.label] = how
        self.events += [f"end {job.label}"] if noted else []
        if job is self.running:
            self.running = None

    def stop(self) -> None:
        """The instance cleans up and ends."""
        if self.running is not None:
            self.end(self.running, "cancelled cancelled")
        self.events.append("cleanup")
        self.serves = None

    def lose(self) -> None:
        """The instance ends without cleanup."""
        if self.running is not None:
            self.end(self.running, "failed lost", noted=False)
        self.serves = None


class Idle:
    """Decides when the instance is idle for long enough."""

    def __init__(self) -> None:
        self.limit = NO_LIMIT

    @hookimpl
    def shelldock_idle_limit(self, instance: Instance) -> float:
        return self.limit


class Life(RuleBasedStateMachine):
    """Does to a real instance what hypothesis makes up, and compares with the rules after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.idle = Idle()
        self.folder = Path(tempfile.mkdtemp(prefix="shelldock-model-", dir=HOME))
        self.workshop = Workshop(self.folder)
        self.version = 0
        self.executions: dict[str, Execution] = {}
        limits = {
            "SHELLDOCK_INSTANCES__START_ATTEMPTS": "0",
            "SHELLDOCK_LIMITS__BACKOFF": "0",
            "SHELLDOCK_PLUGINS__API__ENABLED": "false",
        }
        self.host = Host(
            settings=load(None, limits), paths=Paths.below(HOME / "home"), plugins=[self.idle]
        )
        self.host.__enter__()

    @initialize()
    def begin(self) -> None:
        """There is a driver."""
        self.update()

    @rule()
    def update(self) -> None:
        """Its author changes it: the next command gets the new one."""
        self.version += 1
        more = DRIVER.format(home=str(self.folder), version=self.version)
        self.shell = self.workshop.shell(more=more)
        self.host.open_shell(self.shell)

    @rule()
    def quick(self) -> None:
        """Ask for a command that ends at once."""
        self.submit("quick")

    @rule()
    def boom(self) -> None:
        """Ask for one that raises."""
        self.submit("boom")

    @rule()
    def die(self) -> None:
        """Ask for one that ends its process."""
        self.submit("die")

    @rule()
    def block(self) -> None:
        """Ask for one that runs until it is released or cancelled."""
        self.submit("block")

    @rule()
    def refuse(self) -> None:
        """From now on, ``initialize`` raises; or no longer."""
        self.model.refuses = not self.model.refuses
        flag = self.folder / "refuses"
        flag.touch() if self.model.refuses else flag.unlink()

    @precondition(lambda self: self.model.running)
    @rule()
    def release(self) -> None:
        """Let the command that runs come to its end."""
        job = self.running()
        (self.folder / f"release {job.label}").touch()
        self.model.end(job, "completed")

    @precondition(lambda self: self.model.running)
    @rule()
    def cancel_running(self) -> None:
        """Cancel the command that runs."""
        job = self.running()
        assert self.host.cancel(self.executions[job.label].id)
        self.model.end(job, "cancelled cancelled")

    @precondition(lambda self: self.model.queue)
    @rule()
    def cancel_queued(self) -> None:
        """Cancel the command that came last, before it runs."""
        job = self.model.queue.pop()
        assert self.host.cancel(self.executions[job.label].id)
        self.model.ends[job.label] = "cancelled cancelled"

    @precondition(lambda self: self.model.serves)
    @rule()
    def stop(self) -> None:
        """Stop the instance in order."""
        self.host.stop(KEY)
        self.model.stop()

    @precondition(lambda self: self.model.serves)
    @rule()
    def terminate(self) -> None:
        """End the instance at once."""
        self.host.terminate(KEY)
        self.model.lose()

    @precondition(lambda self: self.model.serves)
    @rule()
    def crash(self) -> None:
        """The process dies."""
        (instance,) = self.host.instances(memory=False)
        os.kill(instance.pid, signal.SIGKILL)
        self.until(lambda: instance.id not in [one.id for one in self.host.instances(memory=False)])
        self.model.lose()

    @precondition(lambda self: self.model.serves)
    @rule()
    def reset(self) -> None:
        """Cancel everything and begin anew."""
        self.host.reset(KEY)
        while self.model.queue:
            self.model.ends[self.model.queue.popleft().label] = "cancelled cancelled"
        self.model.stop()

    @precondition(lambda self: self.model.serves and not self.model.running)
    @rule()
    def go_idle(self) -> None:
        """Let the time go by in which nothing is to do."""
        self.idle.limit = 0.0
        self.submit("quick")
        self.model.advance()
        if self.model.serves is not None:
            self.model.stop()
        self.until(lambda: not self.host.instances(memory=False))
        self.idle.limit = NO_LIMIT

    @invariant()
    def happens_as_foreseen(self) -> None:
        """Everything that the rules foresee has happened, in their order, and nothing else."""
        self.model.advance()
        self.until(self.has_happened)
        for label, how in self.model.ends.items():
            ended = self.host.wait(self.executions[label].id, PATIENCE)
            assert ended.state + (f" {ended.failure.code}" if ended.failure else "") == how
        waits = [one.execution for one in self.host.queue()]
        assert waits == [self.executions[job.label].id for job in self.model.queue]
        living = self.model.serves is not None
        self.until(lambda: len(self.host.instances(memory=False)) == living)

    def teardown(self) -> None:
        """The host ends: what runs is cancelled, the instance cleans up, no process is left."""
        try:
            self.host.__exit__()
            if self.model.serves is not None:
                self.model.stop()
            assert self.workshop.journal.events() == self.model.events
            assert not alive(self.workshop.journal.pids())
        finally:
            shutil.rmtree(self.folder)

    def submit(self, command: str) -> None:
        """Have a command run."""
        label = f"{len(self.executions)} {command}"
        box = Target(resource=Resource(name="box", shell=str(self.shell)))
        self.executions[label] = self.host.submit(box, command, {"label": label})
        self.model.queue.append(Job(label, command, self.version))

    def running(self) -> Job:
        """The command that runs."""
        assert self.model.running is not None
        return self.model.running

    def has_happened(self) -> bool:
        """Whether all that is foreseen has; anything else is wrong at once."""
        events, foreseen = self.workshop.journal.events(), self.model.events
        assert events == foreseen[: len(events)]
        return events == foreseen

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until it has happened."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, (
                self.workshop.journal.events(),
                self.model.events,
            )
            time.sleep(0.002)


TestLife = Life.TestCase
TestLife.settings = hypothesis(
    max_examples=max(1, hypothesis().max_examples // 4), stateful_step_count=20, deadline=None
)


def teardown_module() -> None:
    """Remove what all examples shared."""
    shutil.rmtree(HOME, ignore_errors=True)
