"""Runs a driver in every way, round by round, so that a machine that slows down slows all of them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from benchmarks.environments import MissingError, interpreter, last_line
from benchmarks.plan import ROOT, Plan, say
from benchmarks.results import Running, Stack
from benchmarks.ways import Way

START = "from benchmarks.round import main; main()"
"""Without a module to run, so that ``spawn`` has none to import again in its children."""
LIMIT = 300
"""Seconds for one round of one way."""
WARM = Plan(rounds=1, instances=1, calls=2, bursts=1, builds=0, load=0, resources=0)
"""A round before the first, which does not count: files are read, our environment is built."""


@dataclass(frozen=True)
class Course:
    """Where the rounds of one shell take place."""

    shell: Path
    environments: Path
    room: Path

    def python(self, way: Way) -> Path:
        """The interpreter that a way runs on. Raises ``MissingError``."""
        if way.packages is None:
            return Path(sys.executable)
        requirements = self.shell / "src/requirements.txt"
        return interpreter(self.environments, requirements, way.packages)

    def round(self, way: Way, python: Path, plan: Plan) -> Running:
        """Measure one way once. Raises ``MissingError``."""
        sizes = {
            "shell": str(self.shell),
            "room": str(self.room / way.module),
            "instances": plan.instances,
            "calls": plan.calls,
            "bursts": plan.bursts,
        }
        printed = _printed(
            [str(python), "-c", START, way.module, way.option, json.dumps(sizes)], self.room
        )
        return msgspec.json.decode(printed, type=Running)


def run(stack: Stack, shell: Path, plan: Plan, ways: Iterable[Way], environments: Path) -> None:
    """Measure all ways and add what they were measured at; those that cannot be are missing, ours never."""
    with tempfile.TemporaryDirectory(dir=environments) as room:  # on a disk; /tmp may be none
        course = Course(shell, environments, Path(room))
        pythons: dict[Way, Path] = {}
        for way in ways:
            with _noted(stack, way):
                pythons[way] = course.python(way)
        for number in range(plan.rounds + 1):
            for way, python in pythons.items():
                if way.name in stack.missing:
                    continue
                say(f"round {number} of {plan.rounds}: {way.name}")
                with _noted(stack, way):
                    found = course.round(way, python, WARM if number == 0 else plan)
                    if number:
                        stack.running.setdefault(way.name, Running()).add(found)


@contextmanager
def _noted(stack: Stack, way: Way) -> Iterator[None]:
    """Note why a way cannot be measured, unless it is ours."""
    try:
        yield
    except MissingError as error:
        if way.packages is None:
            raise
        stack.missing[way.name] = str(error)
        stack.running.pop(way.name, None)


def _printed(command: list[str], room: Path) -> bytes:
    """What a round prints; nothing that it started is left."""
    log = room / "log"
    with (
        log.open("w+") as errors,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            printed, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            _kill(process.pid)
            raise MissingError(f"a round did not end within {LIMIT} s") from None
    if process.returncode:
        raise MissingError(f"a round failed: {last_line(log.read_text())}")
    return printed


def _kill(pid: int) -> None:
    root = psutil.Process(pid)
    for one in [root, *root.children(recursive=True)]:
        one.kill()
