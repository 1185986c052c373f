"""What grows with the number of instances, and of callers: asked of ``benchmarks.scale`` and ``calls``."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import msgspec

from benchmarks.environments import MissingError, last_line
from benchmarks.plan import ROOT, STEPS, say
from benchmarks.results import Rate, Results, Step, Struct

LIMIT = 1800
"""Seconds for one of them."""


class _Report(Struct, forbid_unknown_fields=False):
    parallel: dict[str, list[Rate]]


def run(results: Results, most: int, python: str | None) -> None:
    """Measure both, with the small driver.

    :param most: how many instances there are at the same time, in the end.
    :param python: the version that these run on; None: that of the host.
    """
    parts = {
        "instances": partial(_steps, results, most, python),
        "callers": partial(_rates, results),
    }
    for name, measure in parts.items():
        say(f"more and more {name}")
        try:
            measure()
        except MissingError as error:
            results.missing[f"more and more {name}"] = str(error)


def _steps(results: Results, most: int, python: str | None) -> None:
    steps = [str(one) for one in STEPS if one <= most]
    version = python or "{}.{}".format(*sys.version_info)
    driver = ("--shell", "small", "--python", version)
    printed = _printed("benchmarks.scale", *driver, "--instances", *steps)
    results.steps = [msgspec.json.decode(line, type=Step) for line in printed.splitlines()]


def _rates(results: Results) -> None:
    printed = _printed("benchmarks.calls", "--only", "parallel")
    results.rates = msgspec.json.decode(printed, type=_Report).parallel


def _printed(*module: str) -> str:
    command = [sys.executable, "-m", *module]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise MissingError(f"it did not end within {LIMIT} s") from None
    if done.returncode:
        raise MissingError(last_line(done.stderr))
    return done.stdout
