"""Runs a driver in processes that ``multiprocess`` spawns; started by the environment's own interpreter.

Arguments: the driver's folder, how many further instances, how many calls. Prints one JSON object a line, and
waits for a line after each, so that whoever started it can look at its processes.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any


def serve(source: str, pipe: Any) -> None:
    """Be an instance."""
    sys.path.insert(0, source)
    driver = import_module("driver").BenchmarkDriver()
    driver.initialize(None)
    with suppress(EOFError):  # the measuring is over
        while True:
            command, inputs = pipe.recv()
            pipe.send(getattr(driver, command)(None, **inputs))


def start(context: Any, source: str) -> tuple[Any, float]:
    """A new instance, and the seconds to its first answer."""
    begin = time.perf_counter()
    ours, theirs = context.Pipe()
    context.Process(target=serve, args=(source, theirs), daemon=True).start()
    ours.send(("echo", {"text": "ready"}))
    ours.recv()
    return ours, time.perf_counter() - begin


def call(pipe: Any) -> float:
    """The seconds that one command takes."""
    begin = time.perf_counter()
    pipe.send(("echo", {"text": "again"}))
    pipe.recv()
    return time.perf_counter() - begin


def tell(**samples: object) -> None:
    """Print what was measured and wait to go on."""
    print(json.dumps(samples), flush=True)
    sys.stdin.readline()


def main() -> None:
    """Measure."""
    source, instances, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    context = import_module("multiprocess").get_context("spawn")
    pipe, first = start(context, source)
    tell(first=[first])
    further = [start(context, source) for _ in range(instances)]  # whoever loses its pipe ends
    tell(further=[seconds for _, seconds in further])
    tell(calls=[call(pipe) for _ in range(calls)])


if __name__ == "__main__":
    main()
