"""Shelldock, through its Python interface."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Plan, Samples, memory_below, timed
from shelldock import AsyncHost, Resource, Target
from shelldock.paths import Paths


async def measure(plan: Plan, room: Path, *, fresh: bool) -> Samples:
    """Start instances and call them.

    :param room: where the host keeps what it has; the environment in it is built once.
    :param fresh: with a new interpreter for each instance, in place of a fork.
    """
    samples = Samples()
    targets = [
        Target(resource=Resource(name=f"device {number}", shell=str(plan.shell)))
        for number in range(plan.instances + 1)
    ]
    for _ in range(plan.rounds):
        async with AsyncHost(paths=Paths.below(room), fresh=fresh) as host:
            await host.prepare(host.open_shell(plan.shell))
            with timed(samples.first):
                await host.execute(targets[0], "echo", {"text": "ready"})
            before = memory_below(os.getpid())
            for target in targets[1:]:
                with timed(samples.further):
                    await host.execute(target, "echo", {"text": "ready"})
            samples.memory.append((memory_below(os.getpid()) - before) / plan.instances)
            for _ in range(plan.calls):
                with timed(samples.calls):
                    await host.execute(targets[0], "echo", {"text": "again"})
    return samples


async def build(plan: Plan) -> Samples:
    """Build the driver's environment with an empty cache, then with a filled one, ask for it again, build it again."""
    samples = Samples()
    for _ in range(plan.builds):
        with tempfile.TemporaryDirectory() as room, installers_cache(Path(room, "cache")):
            for name, times in (
                ("first", samples.cold),
                ("second", samples.cached),
                ("second", samples.again),
            ):
                async with AsyncHost(paths=Paths.below(Path(room, name))) as host:
                    shell = host.open_shell(plan.shell)
                    with timed(times):
                        environment = await host.prepare(shell)
            async with AsyncHost(paths=Paths.below(Path(room, name))) as host:
                host.environments.remove(environment.name)
                with timed(samples.rebuilt):
                    await host.prepare(shell)
    return samples


@contextmanager
def installers_cache(folder: Path) -> Iterator[None]:
    """Let the installer keep what it downloads in ``folder``."""
    before = os.environ.get("UV_CACHE_DIR")
    os.environ["UV_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        del os.environ["UV_CACHE_DIR"]
        if before is not None:
            os.environ["UV_CACHE_DIR"] = before
