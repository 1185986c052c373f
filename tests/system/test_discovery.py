"""A discovery from its beginning to its end: excluded meanwhile, included by success, told by failure."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import closing

import pytest
from tests.workshop import Workshop, clean_environ

from shelldock import AsyncHost
from shelldock.errors import (
    ConflictError,
    DiscoveryFailed,
    ExcludedError,
    NoDiscoveryError,
    NoDriverError,
    NotFoundError,
)
from shelldock.paths import Paths
from shelldock.settings import load

GATED = """
def get_inventory(self, context):
    note("begin")
    while not os.path.exists({gate!r}):
        time.sleep(0.02)
    return {{"resources": [{{"name": "P1", "model": "Box.Port", "relative_address": "P1"}}], "attributes": []}}
"""
REPORT = """
def get_inventory(self, context):
    return {"resources": [{"name": "P1", "model": "Box.Port", "relative_address": "P1"}], "attributes": []}
"""


def add(host: AsyncHost, workshop: Workshop, more: str = "", name: str = "box 1") -> None:
    """A resource of a shell whose driver has ``more``."""
    host.catalog.add(workshop.shell(more=more), force=True)
    host.inventory.create(name, host.shell("Box"), "10.0.0.1")


async def until(workshop: Workshop, event: str) -> None:
    """Wait until the driver has noted ``event``."""
    async with asyncio.timeout(20):
        while event not in workshop.journal.events():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)


async def test_a_resource_is_excluded_while_discovery_runs_and_included_by_its_success_n1(
    host: AsyncHost, paths: Paths, workshop: Workshop
) -> None:
    gate = workshop.folder / "gate"
    add(host, workshop, GATED.format(gate=str(gate)))
    running = asyncio.create_task(host.discover("box 1"))
    await until(workshop, "begin")
    later = AsyncHost(load(None, {}), paths=paths)
    with closing(later.store):
        assert later.inventory.resource("box 1").excluded
    with pytest.raises(ConflictError, match="'box 1' is being discovered"):
        await host.discover("box 1")
    with pytest.raises(ExcludedError, match=r"shelldock resource set 'box 1' --include"):
        await host.execute("box 1", "pid")
    gate.touch()
    assert not (await running).excluded
    assert [one.name for one in host.inventory.tree("box 1")] == ["box 1", "box 1/P1"]
    assert (await host.execute("box 1", "pid")).result


FAILURES = {
    "the driver raises": (
        "def get_inventory(self, context):\n    raise ValueError('no such\\nOID')",
        "'ValueError' error. Description: no such OID. The resource",
        "driver",
    ),
    "initialize raises": (
        "def initialize(self, context):\n    raise OSError('unreachable.')\n" + REPORT,
        "'OSError' error. Description: unreachable. The resource",
        "driver",
    ),
    "the process ends": (
        "def get_inventory(self, context):\n    os._exit(3)",
        "'InstanceLost' error. Description: ",
        "lost",
    ),
    "the report is none": (
        "def get_inventory(self, context):\n    return 'done'",
        "'InputError' error. Description: get_inventory did not return AutoLoadDetails",
        "input",
    ),
    "the module cannot be imported": (
        REPORT + "\nraise ImportError('no module of mine')",
        "'StartError' error. Description: ",
        "start",
    ),
}


@pytest.mark.parametrize(("more", "said", "cause"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_leaves_the_resource_excluded_with_the_reason_n1(
    host: AsyncHost, workshop: Workshop, more: str, said: str, cause: str
) -> None:
    add(host, workshop, REPORT)
    await host.discover("box 1")
    host.catalog.add(workshop.shell(more=more), force=True)
    await host.stop("resource/box 1")
    before = host.inventory.tree("box 1")[1:]
    with pytest.raises(DiscoveryFailed) as caught:
        await host.discover("box 1")
    message = str(caught.value)
    assert message.startswith(
        f"Discovery failed for resource 'box 1': 'get_inventory' command failed with {said}"
    )
    assert "The resource is now excluded" in message
    assert "\n" not in message
    assert caught.value.facts["cause"] == cause
    found = host.inventory.resource("box 1")
    assert (found.excluded, found.status, found.status_text) == (True, "Error", message)
    assert host.inventory.tree("box 1")[1:] == before


async def test_a_success_after_a_failure_takes_the_failure_back_n1(
    host: AsyncHost, workshop: Workshop
) -> None:
    allowed = workshop.folder / "allowed"
    more = f"""
    def get_inventory(self, context):
        if not os.path.exists({str(allowed)!r}):
            raise ValueError("not yet")
    """
    add(host, workshop, more)
    with pytest.raises(DiscoveryFailed):
        await host.discover("box 1")
    assert host.inventory.resource("box 1").status == "Error"
    allowed.touch()
    found = await host.discover("box 1")
    assert (found.excluded, found.status, found.status_text) == (False, "", "")


async def test_a_resource_that_is_included_by_hand_takes_commands_again_n1(
    host: AsyncHost, workshop: Workshop
) -> None:
    add(host, workshop, "def get_inventory(self, context):\n    raise ValueError('no')")
    with pytest.raises(DiscoveryFailed):
        await host.discover("box 1")
    found = host.inventory.set("box 1", excluded=False)
    assert (found.excluded, found.status, found.status_text) == (False, "", "")
    assert (await host.execute("box 1", "pid")).result


async def test_an_excluded_sub_resource_takes_no_commands_n1(
    host: AsyncHost, workshop: Workshop
) -> None:
    add(host, workshop, REPORT)
    await host.discover("box 1")
    assert (await host.execute("box 1/P1", "pid")).result
    host.inventory.set("box 1/P1", excluded=True)
    with pytest.raises(ExcludedError, match=r"'box 1/P1' is excluded.*set 'box 1/P1' --include"):
        await host.execute("box 1/P1", "pid")
    assert (await host.execute("box 1", "pid")).result


async def test_a_cancelled_discovery_leaves_the_resource_excluded_n1(
    host: AsyncHost, workshop: Workshop
) -> None:
    more = """
    def get_inventory(self, context, cancellation_context):
        note("begin")
        while not cancellation_context.is_cancelled:
            time.sleep(0.02)
    """
    add(host, workshop, more)
    running = asyncio.create_task(host.discover("box 1"))
    await until(workshop, "begin")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    found = host.inventory.resource("box 1")
    assert found.excluded
    assert "it was cancelled" in found.status_text


HOST = """
import asyncio, sys
from shelldock import AsyncHost

async def main():
    async with AsyncHost() as host:
        await host.discover("box 1")

asyncio.run(main())
"""


async def test_a_host_that_dies_in_a_discovery_loses_nothing_n1(
    host: AsyncHost, paths: Paths, workshop: Workshop
) -> None:
    add(host, workshop, REPORT)
    await host.discover("box 1")
    host.catalog.add(workshop.shell(more=GATED.format(gate="/nowhere")), force=True)
    environ = clean_environ(workshop.folder / "home")
    doomed = await asyncio.create_subprocess_exec(sys.executable, "-c", HOST, env=environ)
    try:
        await until(workshop, "begin")
    finally:
        doomed.kill()
        await doomed.wait()
    later = AsyncHost(load(None, {}), paths=paths)
    with closing(later.store):
        left = [(one.name, one.excluded) for one in later.inventory.tree("box 1")]
    assert left == [("box 1", True), ("box 1/P1", False)]


async def test_a_sub_resource_means_its_root_n2(host: AsyncHost, workshop: Workshop) -> None:
    add(host, workshop, REPORT)
    await host.discover("box 1")
    assert (await host.discover("box 1/P1")).name == "box 1"
    assert len(host.inventory.tree("box 1")) == 2


@pytest.mark.parametrize("excluded", [False, True], ids=["included", "excluded"])
@pytest.mark.parametrize("seen", [True, False], ids=["seen from outside", "seen by its process"])
async def test_a_driver_that_cannot_discover_is_told_like_cloudshells_151_n4(
    host: AsyncHost, workshop: Workshop, *, seen: bool, excluded: bool
) -> None:
    source = None if seen else "import json\n\nclass Driver(json.JSONDecoder):\n    pass\n"
    host.catalog.add(workshop.shell(source=source))
    host.inventory.create("box 1", host.shell("Box"))
    host.inventory.set_status("box 1", "Online", "well")
    before = host.inventory.set("box 1", excluded=excluded)
    with pytest.raises(NoDiscoveryError) as caught:
        await host.discover("box 1")
    assert str(caught.value).startswith(
        "the selected resource driver does not contain 'GetInventory' function and is not valid for Auto Load"
    )
    assert (caught.value.facts["resource"], caught.value.facts["driver"]) == ("box 1", "BoxDriver")
    assert host.inventory.resource("box 1") == before
    assert workshop.journal.events() == []


async def test_a_resource_without_a_driver_is_told_like_cloudshells_129_n4(
    host: AsyncHost, workshop: Workshop
) -> None:
    project = workshop.shell()
    for file in (project / "src").iterdir():
        file.unlink()
    (project / "src").rmdir()
    host.catalog.add(project)
    before = host.inventory.create("box 1", host.shell("Box"))
    with pytest.raises(NoDriverError, match="no driver associated with resource 'box 1'"):
        await host.discover("box 1")
    assert host.inventory.resource("box 1") == before


async def test_a_host_that_is_not_open_and_a_resource_that_is_not_there_change_nothing_n1(
    paths: Paths, workshop: Workshop
) -> None:
    closed = AsyncHost(load(None, {}), paths=paths)
    with closing(closed.store):
        add(closed, workshop, REPORT)
        with pytest.raises(ConflictError, match="not open"):
            await closed.discover("box 1")
        with pytest.raises(NotFoundError, match="did you mean 'box 1'"):
            closed.inventory.resource("box 2")
        assert not closed.inventory.resource("box 1").excluded


async def test_ten_thousand_ports_do_not_keep_others_waiting_n2(
    host: AsyncHost, workshop: Workshop
) -> None:
    more = """
    def get_inventory(self, context):
        ports = [{"name": "P%d" % n, "model": "Box.Port", "relative_address": "P%d" % n} for n in range(10000)]
        facts = [{"relative_address": "P%d" % n, "attribute_name": "CS_Port.A%d" % a, "attribute_value": n}
                 for n in range(10000) for a in range(10)]
        return {"resources": ports, "attributes": facts}
    """
    add(host, workshop, more)
    longest, running = 0.0, asyncio.create_task(host.discover("box 1"))
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(120):
        while not running.done():
            began = clock()
            await asyncio.sleep(0.01)
            longest = max(longest, clock() - began)
    assert (await running).excluded is False
    assert len(host.inventory.tree("box 1")) == 10001
    assert longest < 5


@pytest.mark.parametrize(
    "status", ["Online", "Offline", "Stopped", "Error", "Progress 0", "Progress 100", "Rebooting"]
)
async def test_a_live_status_of_any_name_is_kept_through_a_discovery_n6(
    host: AsyncHost, workshop: Workshop, status: str
) -> None:
    add(host, workshop, REPORT)
    host.inventory.set_status("box 1", status, "said by its driver")
    found = await host.discover("box 1")
    assert (found.status, found.status_text) == (status, "said by its driver")


async def test_a_virtual_machine_has_the_app_json_in_its_context_n2(
    host: AsyncHost, workshop: Workshop
) -> None:
    more = """
    def get_inventory(self, context):
        value = '{"UID": "42-ab", "CloudProviderName": "vc", "VmCustomParams": []}'
        row = {"relative_address": "", "attribute_name": "VmDetails", "attribute_value": value}
        return {"resources": [], "attributes": [row]}

    def app(self, context):
        return context.resource.app_context.deployed_app_json
    """
    add(host, workshop, more)
    await host.discover("box 1")
    host.inventory.set("box 1", address="10.0.0.9", attributes={"User": "me"})
    told = json.loads((await host.execute("box 1", "app")).result or "")
    assert told["vmdetails"]["uid"] == "42-ab"
    assert (told["name"], told["model"], told["address"]) == ("box 1", "Box", "10.0.0.9")
    assert {"name": "Box.User", "value": "me"} in told["attributes"]
