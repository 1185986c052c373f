"""The published clients have connected commands run, on the devices that a resource is connected to (I14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.compat.published import CLIENTS, environment, present, talk
from tests.workshop import Workshop

from shelldock import AsyncHost
from shelldock.paths import Paths
from shelldock.settings import load

POWER = """
def get_inventory(self, context):
    names = ["S1", "S2", "S3"]
    return {
        "resources": [{"name": one, "model": "M", "relative_address": one} for one in names],
        "attributes": [],
    }

def PowerCycle(self, context, ports, delay="0"):
    ends = [one.fullname for one in context.remote_endpoints]
    return " ".join([context.resource.name, delay, *ports, "to", *ends])

def remote_refresh_ip(self, context, ports):
    return "refreshed"

def where(self, context):
    told = context.connectivity
    return told.server_address + " " + told.admin_auth_token
"""
TAGS = """
<Command Name="PowerCycle" Tags="power">
  <Parameters><Parameter Name="delay" Type="String" Mandatory="False" DefaultValue="0"/></Parameters>
</Command>
<Command Name="remote_refresh_ip" Tags="remote_connectivity"/>
<Command Name="where"/>
"""


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[AsyncHost]:
    """A server with three inlets on two power switches, and one that is connected to nothing."""
    workshop = Workshop(tmp_path)
    async with AsyncHost(load(None, {}), paths=Paths.below(tmp_path / "home")) as host:
        power = host.catalog.add(workshop.shell("Pdu", POWER, commands=TAGS))
        for name in ("pdu1", "pdu2", "server", "loose"):
            host.inventory.create(name, power, folder="Lab" if name in ("server", "loose") else "")
            if name != "loose":
                await host.discover(name)
        for end, other in (("S1", "pdu1/S3"), ("S2", "pdu2/S1"), ("S3", "pdu1/S1")):
            host.connections.connect(f"server/{end}", other)
        yield host


@pytest.mark.parametrize(("needs", "python"), present(CLIENTS))
async def test_a_client_has_a_connected_command_run_a3_a5_i14(
    needs: str, python: str, host: AsyncHost
) -> None:
    told = (await host.execute("loose", "where", prints=False)).result or ""
    seen = await talk(environment(needs, python), "connected.py", *told.split())
    both = ["pdu1 7 pdu1/S3 pdu1/S1 to server/S1 server/S3", "pdu2 7 pdu2/S1 to server/S2"]
    assert seen["all"] == both
    assert seen["without a tag"] == both
    assert seen["one"] == ["pdu2 0 pdu2/S1 to server/S2"]
    assert seen["by group"] == ["refreshed"]
    assert seen["discovered by its path"] == ["loose/S1", "loose/S2", "loose/S3"]
    for (code, words), said in zip(
        seen["refused"],
        ["nothing that 'loose'", "tag 'remote_connectivity'", "'where'", "no resource 'Z'"],
        strict=True,
    ):
        assert code == "100"
        assert said in words
