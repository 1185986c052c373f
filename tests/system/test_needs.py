"""What drivers need, as it is seen from a host: each gets its own, and a newer release only when it starts anew."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.index import LocalIndex
from tests.workshop import Workshop, target

from shelldock import AsyncHost
from shelldock.paths import Paths
from shelldock.settings import Settings, load
from shelldock_cloudshell.interpreters import find

VERSIONS = "def versions(self, context):\n    import dep\n    return dep.VERSION"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIndex]:
    """An index with a distribution ``dep``, and a cache that saw nothing of others."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    with LocalIndex(tmp_path / "index") as served:
        served.add("dep", "1.0")
        yield served


def settings(index: LocalIndex, **more: str) -> Settings:
    """Settings that ask ``index``."""
    return load(None, {"SHELLDOCK_PLUGINS__ENVIRONMENT__INDEX_URL": index.url, **more})


async def test_a_newer_release_reaches_an_instance_when_it_starts_anew_after_the_validity_v4_v7(
    paths: Paths, workshop: Workshop, index: LocalIndex
) -> None:
    shell = workshop.shell(more=VERSIONS, requirements="dep\n")
    always = settings(index, SHELLDOCK_ENVIRONMENTS__VALIDITY="0")
    async with AsyncHost(always, paths=paths) as host:
        old, new = target(host, shell, "old"), target(host, shell, "new")
        assert (await host.execute(old, "versions")).result == "1.0"
        index.add("dep", "2.0")
        assert (await host.execute(new, "versions")).result == "2.0"
        assert (
            await host.execute(old, "versions")
        ).result == "1.0"  # it runs, so it keeps what it has
        assert len({one.environment for one in await host.instances()}) == 2
        await host.stop("resource/old")
        assert (await host.execute(old, "versions")).result == "2.0"
        assert host.environments.prune(0.0) == []  # fork servers of both are still there
    async with AsyncHost(always, paths=paths) as host:
        assert (await host.execute(target(host, shell), "versions")).result == "2.0"
        (removed,) = host.environments.prune(0.0)
        assert removed.pins == ("dep==1.0",)


async def test_within_the_validity_a_newer_release_is_not_looked_for_v4(
    paths: Paths, workshop: Workshop, index: LocalIndex
) -> None:
    shell = workshop.shell(more=VERSIONS, requirements="dep\n")
    async with AsyncHost(settings(index), paths=paths) as host:
        assert (await host.execute(target(host, shell, "one"), "versions")).result == "1.0"
        index.add("dep", "2.0")
        assert (await host.execute(target(host, shell, "two"), "versions")).result == "1.0"


async def test_shells_with_conflicting_requirements_run_side_by_side(
    paths: Paths, workshop: Workshop, index: LocalIndex
) -> None:
    index.add("dep", "2.0")
    shells = [
        workshop.shell(f"Box{n}", more=VERSIONS, requirements=f"dep=={n}.0\n") for n in (1, 2)
    ]
    async with AsyncHost(settings(index), paths=paths) as host:
        boxes = [target(host, shell, shell.name) for shell in shells]
        ended = await asyncio.gather(*(host.execute(box, "versions") for box in boxes))
        assert [one.result for one in ended] == ["1.0", "2.0"]
        assert len(await host.instances()) == 2


async def test_shells_on_every_python_there_is_run_at_the_same_time(
    paths: Paths, workshop: Workshop
) -> None:
    more = "def python(self, context):\n    import sys\n    return list(sys.version_info[:2])"
    here = {one.version.rpartition(".")[0] for one in find(os.environ)}
    wanted = [f"3.{minor}" for minor in range(7, 14) if f"3.{minor}" in here]
    assert wanted
    chosen = {f"Box{python}": {"python": python} for python in wanted}
    async with AsyncHost(
        Settings(plugins={"environment": {"shells": chosen}}), paths=paths
    ) as host:
        boxes = [target(host, workshop.shell(name, more=more), name) for name in chosen]
        ended = await asyncio.gather(*(host.execute(box, "python") for box in boxes))
        assert len(await host.instances()) == len(wanted)
    assert [".".join(map(str, json.loads(one.result or ""))) for one in ended] == wanted
