"""A controller of traffic generators, made with the published library, keeps its instance alive (A3, I9)."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.workshop import Workshop, alive

from shelldock import AsyncHost, Resource, Sandbox, Target
from shelldock.hookspecs import hookimpl
from shelldock.model import Instance
from shelldock.paths import Paths
from shelldock.settings import load
from shelldock_cloudshell.interpreters import find

LIBRARY = "cloudshell-traffic==3.4.3"
PYTHON = "3.9"
"""What the library pins (setuptools 44, urllib3 1.25) runs on no newer one."""

METADATA = """
<Category Name="Hidden Commands">
  <Command Name="cleanup"/>
  <Command DisplayName="Keep Alive" EnableCancellation="true" Name="keep_alive"/>
</Category>
<Command DisplayName="Load Configuration" Name="load_config">
  <Parameters><Parameter Name="config_file_location" Type="String" Mandatory="True"/></Parameters>
</Command>
<Command Name="get_session_id"/>
"""
SOURCE = """
import os
import time
from cloudshell.traffic.tg import TgControllerDriver, enqueue_keep_alive

def note(event):
    with open({journal!r}, "a") as journal:
        journal.write("%s %d %s\\n" % (time.monotonic(), os.getpid(), event))

class Driver(TgControllerDriver):
    def initialize(self, context):
        super().initialize(context)
        self.tester = None

    def load_config(self, context, config_file_location):
        enqueue_keep_alive(context)
        self.tester = self.tester or "session of %d" % os.getpid()
        return config_file_location

    def get_session_id(self, context):
        return self.tester

    def keep_alive(self, context, cancellation_context):
        note("kept alive")
        super().keep_alive(context, cancellation_context)
        note("let go")

    def cleanup(self):
        note("cleanup " + str(self.tester))
        self.tester = None
"""

pytestmark = pytest.mark.skipif(
    PYTHON not in {one.minor for one in find(os.environ)}, reason=f"no Python {PYTHON} here"
)


class Watch:
    """Notes why each instance ended."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    @hookimpl
    def shelldock_instance_changed(self, instance: Instance) -> None:
        if instance.state == "gone":
            self.reasons.append(instance.reason)


async def test_a_traffic_controller_keeps_its_session_until_its_sandbox_ends_a3_i9(
    tmp_path: Path,
) -> None:
    workshop = Workshop(tmp_path)
    source = SOURCE.format(journal=str(workshop.journal.path))
    project = workshop.shell(
        "Tester", source=source, requirements=LIBRARY, concurrent=True, commands=METADATA
    )
    sandbox = Sandbox(id="s1")
    resource = Resource(name="tester 1", shell="Tester", model="Tester")
    service = Target(kind="service", resource=resource, sandbox=sandbox)
    watch = Watch()
    settings = load(None, {"SHELLDOCK_PLUGINS__IDLE__LIMIT": "0.5"})
    paths = Paths.below(tmp_path / "home")
    async with (
        asyncio.timeout(240),
        AsyncHost(settings, paths=paths, plugins=[watch], python=PYTHON) as host,
    ):
        host.catalog.add(project)
        await host.start_sandbox(sandbox, [service])
        for config in ("a.xml", "b.xml"):
            done = await host.execute(service, "load_config", [config])
            assert done.result == config
        while "kept alive" not in workshop.journal.events():  # noqa: ASYNC110 - what a user would do
            await asyncio.sleep(0.05)
        (pid,) = workshop.journal.pids()
        await asyncio.sleep(2)  # four times the idle limit
        session = await host.execute(service, "get_session_id")
        assert session.result == f"session of {pid}"
        assert workshop.journal.events() == ["kept alive"]
        await host.end_sandbox("s1")
        # On cancel the library cleans up by itself; the host does so once more, as for every instance.
        assert workshop.journal.events() == [
            "kept alive",
            f"cleanup session of {pid}",
            "let go",
            "cleanup None",
        ]
        assert watch.reasons == ["the sandbox ended"]
        assert await host.instances(memory=False) == []
        assert not alive([pid])
        assert [
            one for one in host.executions() if one.state not in ("completed", "cancelled")
        ] == []
        assert [one.command for one in host.executions() if one.state == "cancelled"] == [
            "keep_alive"
        ]
