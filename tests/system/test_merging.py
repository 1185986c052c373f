"""Instances whose equal pages the kernel may keep once."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shelldock import AsyncHost, merging
from shelldock.settings import load

if TYPE_CHECKING:
    from tests.workshop import Workshop

    from shelldock.paths import Paths

SETTINGS = {"SHELLDOCK_INSTANCES__MERGE_MEMORY": "true"}

MERGEABLE = """
def mergeable(self, context):
    return "ksm_merge_any: yes" in open("/proc/self/ksm_stat").read()
"""


OWN = Path("/proc/self/ksm_stat")


def tells() -> bool:
    """Whether the kernel tells what it may merge."""
    return OWN.exists() and "ksm_merge_any" in OWN.read_text()


@pytest.mark.skipif(not tells(), reason="this kernel does not tell what it may merge")
@pytest.mark.parametrize("fresh", ["false", "true"])
async def test_instances_may_be_merged_where_that_is_set(
    workshop: Workshop, paths: Paths, fresh: str
) -> None:
    shell = workshop.shell("Twin", MERGEABLE)
    environ = {"SHELLDOCK_INSTANCES__FRESH": fresh}
    for settings, answer in (({}, "false"), (SETTINGS, "true")):
        async with AsyncHost(load(None, {**environ, **settings}), paths=paths) as host:
            execution = await host.execute(host.target(shell, "twin"), "mergeable")
            assert execution.result == answer


async def test_what_keeps_the_kernel_from_it_is_said_with_what_to_do(
    paths: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with AsyncHost(load(None, SETTINGS), paths=paths):
            pass
    said = "memory of instances is not merged: {} (set by: SHELLDOCK_INSTANCES__MERGE_MEMORY)"
    expected = [said.format(why)] if (why := merging.obstacle()) else []
    assert [one for one in caplog.messages if "merged" in one] == expected
