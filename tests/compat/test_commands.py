"""The published, unmodified clients have commands run, list them, reset drivers and run discovery (A3, A5)."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.compat.published import CLIENTS, environment, present, talk
from tests.workshop import Workshop

from shelldock import AsyncHost, Resource, Sandbox, Target
from shelldock.paths import Paths
from shelldock.settings import load

METADATA = """
<Category Name="Hidden Commands">
  <Command Name="nothing"/>
  <Command Name="endless" EnableCancellation="true"/>
</Category>
<Command Name="work" DisplayName="Do Work" Description="as told" Tags="allow_unreserved">
  <Parameters>
    <Parameter Name="label" Type="String" Mandatory="True" Description="what to say"/>
    <Parameter Name="seconds" Type="Lookup" Mandatory="False" DefaultValue="0" AllowedValues="0,1"/>
  </Parameters>
</Command>
"""
MORE = """
def where(self, context):
    told = context.connectivity
    return told.server_address + " " + told.admin_auth_token

def nothing(self, context):
    pass

def endless(self, context, cancellation_context):
    while not cancellation_context.is_cancelled:
        time.sleep(0.02)

def boom(self, context):
    raise ValueError("no such vlan")
"""
DISCOVERY = """
def get_inventory(self, context):
    if context.resource.name == "D bad":
        raise OSError("unreachable")
    return {"resources": [{"name": "P1", "model": "Box.Port", "relative_address": "P1"}], "attributes": []}
"""
EVERY = ["boom", "endless", "nothing", "pid", "where", "work"]


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[AsyncHost]:
    """A host with resources, some of which cannot be discovered, and a sandbox with a service."""
    workshop = Workshop(tmp_path)
    async with AsyncHost(load(None, {}), paths=Paths.below(tmp_path / "home")) as host:
        line = host.catalog.add(workshop.shell("Line", MORE, commands=METADATA))
        host.inventory.create("B", line)
        found = host.catalog.add(workshop.shell("Found", DISCOVERY))
        for name in ("D", "D bad"):
            host.inventory.create(name, found)
        passive = workshop.shell("Passive")
        shutil.rmtree(passive / "src")
        host.inventory.create("passive", host.catalog.add(passive))
        service = Resource(name="tg", shell="Line", model="Line")
        sandbox = Sandbox(id="s1")
        await host.start_sandbox(
            sandbox, [Target(kind="service", resource=service, sandbox=sandbox)]
        )
        yield host


async def run(python: Path, script: str, host: AsyncHost) -> dict[str, Any]:
    """What ``script`` prints as JSON, run by a client's interpreter against ``host``."""
    asks = Target(resource=host.inventory.resource("B"), sandbox=Sandbox(id="s1"))
    told = (await host.execute(asks, "where", prints=False)).result or ""
    return await talk(python, script, *told.split())


@pytest.mark.parametrize(("needs", "python"), present(CLIENTS))
async def test_a_client_has_commands_run_and_hears_what_became_of_them_a3_a5_r5_n4(
    needs: str, python: str, host: AsyncHost
) -> None:
    seen = await run(environment(needs, python), "commands.py", host)
    assert seen["lines"] == '1\n2\t\u2603 <&"'
    assert (seen["number"], seen["nothing"], seen["service"]) == ("12", "", "of a service")
    assert seen["by position"] == ["r", "s"]
    code, words = seen["failed"]
    assert (code, words) == ("100", "'boom' failed with ValueError: no such vlan")
    assert [code for code, _ in seen["refused"]] == ["100"] * 6
    for (_, words), said in zip(
        seen["refused"],
        ["'boom'", "no resource 'Z'", "'label'", "Resource, Service or App", "3 values", "sandbox"],
        strict=True,
    ):
        assert said in words
    ended = [await host.wait(one) for one in seen["ids"]]
    assert [(one.target, one.result) for one in ended] == [("B", "q"), ("B", "r"), ("tg", "s")]
    if "cancelled" in seen:
        assert (await host.wait(seen["cancelled"])).state == "cancelled"
    assert seen["commands"] == EVERY
    assert seen["told"] == [
        "Do Work",
        "as told",
        "allow_unreserved",
        [
            ["label", "String", True, "", "", "what to say"],
            ["seconds", "Lookup", False, "0", "0,1", ""],
        ],
    ]
    assert seen["of a service"] == [seen["commands"], seen["commands"]]
    assert seen["reset"] == ""
    assert seen["discovered"] == ["D/P1"]
    assert [code for code, _ in seen["not discovered"]] == ["151", "129", "100"]
    assert "OSError" in seen["not discovered"][2][1]
    printed = [one.text for one in host.output("s1")]
    assert printed == ['1\n2\t\u2603 <&"', "12", "of a service", "r", "q"]
