"""Makes a driver's environment: ours, and ``python -m venv`` with pip."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.plan import Plan, say, timed
from benchmarks.results import Building, Stack
from benchmarks.ways import OURS
from shelldock import AsyncHost
from shelldock.paths import Paths

PIP = "venv and pip"


async def run(stack: Stack, shell: Path, plan: Plan) -> None:
    """Measure both in turn and add what they were measured at."""
    for number in range(plan.builds):
        say(f"round {number + 1} of {plan.builds}: environments")
        await _ours(stack.building.setdefault(OURS, Building()), shell)
        _venv_and_pip(stack.building.setdefault(PIP, Building()), shell)


async def _ours(found: Building, shell: Path) -> None:
    """Build with an empty cache, then with a filled one, ask for it again, build it again."""
    with tempfile.TemporaryDirectory() as room, _installers_cache(Path(room, "cache")):
        for name, times in (
            ("first", found.cold),
            ("second", found.cached),
            ("second", found.again),
        ):
            async with AsyncHost(paths=Paths.below(Path(room, name))) as host:
                opened = host.open_shell(shell)
                with timed(times):
                    environment = await host.prepare(opened)
        async with AsyncHost(paths=Paths.below(Path(room, name))) as host:
            host.environments.remove(environment.name)
            with timed(found.rebuilt):
                await host.prepare(host.open_shell(shell))


@contextmanager
def _installers_cache(folder: Path) -> Iterator[None]:
    """Let the installer keep what it downloads in ``folder``."""
    before = os.environ.get("UV_CACHE_DIR")
    os.environ["UV_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        del os.environ["UV_CACHE_DIR"]
        if before is not None:
            os.environ["UV_CACHE_DIR"] = before


def _venv_and_pip(found: Building, shell: Path) -> None:
    """``python -m venv``, then ``pip install -r requirements.txt`` in it; once more where all is installed."""
    with tempfile.TemporaryDirectory() as room:
        environ = os.environ | {
            "PIP_CACHE_DIR": str(Path(room, "cache")),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        for name, times in (("first", found.cold), ("second", found.cached)):
            with timed(times):
                subprocess.run([sys.executable, "-m", "venv", Path(room, name)], check=True)
                _pip_install(Path(room, name), shell, environ)
        with timed(found.again):
            _pip_install(Path(room, "second"), shell, environ)


def _pip_install(environment: Path, shell: Path, environ: dict[str, str]) -> None:
    pip, requirements = environment / "bin/pip", shell / "src/requirements.txt"
    subprocess.run([pip, "install", "-qq", "-r", requirements], check=True, env=environ)
