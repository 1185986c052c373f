"""Drivers ask for commands of other drivers, and of their own, with the published client."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.workshop import Workshop, alive

from shelldock import AsyncHost, Resource, Sandbox, Target
from shelldock.errors import DriverError, InstanceLost, ShelldockError
from shelldock.model import Kind
from shelldock.paths import Paths
from shelldock.settings import load

CLIENT = "cloudshell-automation-api==2024.1.0.189077"

MORE = """
def session(self, context):
    from cloudshell.api.cloudshell_api import CloudShellAPISession
    return CloudShellAPISession(
        context.connectivity.server_address, token_id=context.connectivity.admin_auth_token, domain="Global"
    )

def run(self, context, operation, target, command, value, kind):
    from cloudshell.api.cloudshell_api import InputNameValue
    sandbox = context.reservation.reservation_id if context.reservation else ""
    inputs = [InputNameValue("path", value)] if value else []
    return getattr(self.session(context), operation)(sandbox, target, kind, command, inputs, True)

def execute(self, context, target, command, value="", kind="Resource"):
    return self.run(context, "ExecuteCommand", target, command, value, kind).Output

def hear(self, context, target, command):
    try:
        self.execute(context, target, command)
    except Exception as error:
        note("heard %s" % error)
        raise

def quietly(self, context, target, command):
    sandbox = context.reservation.reservation_id
    return self.session(context).ExecuteCommand(sandbox, target, "Resource", command, [], False).Output

def hold(self, context):
    note("held")
    while not os.path.exists({journal!r} + ".go"):
        time.sleep(0.02)
    note("released")

def enqueue(self, context, target, command, value="", kind="Resource"):
    self.run(context, "EnqueueCommand", target, command, value, kind)
    return "went on"

def along(self, context, path=""):
    '''Go on along a path of resources, each asking the next.'''
    name, _, rest = path.partition(" ")
    note("along " + context.resource.name)
    return context.resource.name + " > " + self.execute(context, name, "along", rest) if name else "end"

def meet(self, context, other):
    note("here " + context.resource.name)
    while open({journal!r}).read().count("here") < 2:
        time.sleep(0.01)
    return self.execute(context, other, "pid")

def boom(self, context):
    raise ValueError("no such vlan")

def by_position(self, context, target):
    session = self.session(context)
    first = session.ExecuteResourceCommand("", target, "work", ["by position", "0"], True).Output
    session.EnqueueResourceCommand("", target, "work", ["later"], False)
    return first

def commands(self, context, target):
    found = self.session(context).GetResourceCommands(target).Commands
    return sorted(one.Name for one in found)

def autoload(self, context, target):
    self.session(context).AutoLoad(target)

def reset(self, context, target):
    self.session(context).ResetResourceDriver("", target)

def load_config(self, context):
    return self.enqueue(context, context.resource.name, "keep_alive", kind="Service")

def keep_alive(self, context, cancellation_context):
    note("kept alive")
    while not cancellation_context.is_cancelled:
        time.sleep(0.02)
    note("let go")
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment with the client is made once."""
    return tmp_path_factory.mktemp("home")


class Lab:
    """Resources of two shells: sequential ones in capitals, and ``crowd``, which runs any number of commands."""

    def __init__(self, host: AsyncHost, workshop: Workshop) -> None:
        self.host = host
        self.journal = workshop.journal
        more = MORE.format(journal=str(workshop.journal.path))
        line = host.catalog.add(workshop.shell("Line", more, requirements=CLIENT), force=True)
        crowd = host.catalog.add(
            workshop.shell("Crowd", more, requirements=CLIENT, concurrent=True), force=True
        )
        for name, shell in (("A", line), ("B", line), ("C", line), ("crowd", crowd)):
            if name in host.inventory:  # of the test before
                host.inventory.remove(name)
            host.inventory.create(name, shell)

    async def execute(self, target: str | Target, command: str, /, **inputs: str) -> str:
        """The result of a command, in a bounded time."""
        async with asyncio.timeout(60):
            return (await self.host.execute(target, command, inputs)).result or ""

    async def accepted(self, command: str, times: int = 1) -> None:
        """Wait until a command was asked for so many times."""
        async with asyncio.timeout(60):
            while times > sum(one.command == command for one in self.host.executions()):  # noqa: ASYNC110 - what a user would do
                await asyncio.sleep(0.02)

    async def noted(self, event: str) -> None:
        """Wait until a driver has noted ``event``."""
        async with asyncio.timeout(60):
            while event not in self.journal.events():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)


def service(name: str, shell: str, sandbox: str) -> Target:
    """A service in a sandbox."""
    kind: Kind = "service"
    resource = Resource(name=name, shell=shell, model=shell)
    return Target(kind=kind, resource=resource, sandbox=Sandbox(id=sandbox))


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A place to write shells in."""
    return Workshop(tmp_path)


@asynccontextmanager
async def opened(home: Path, workshop: Workshop, slots: int = 0) -> AsyncIterator[Lab]:
    """A lab while its host is open."""
    environ = {"SHELLDOCK_PLUGINS__IDLE__LIMIT": "1", "SHELLDOCK_NODE__SLOTS": str(slots)}
    settings = load(None, environ)
    async with AsyncHost(settings, paths=Paths.below(home)) as host:
        yield Lab(host, workshop)


@pytest.fixture
async def lab(home: Path, workshop: Workshop) -> AsyncIterator[Lab]:
    """A lab of an open host."""
    async with opened(home, workshop) as lab:
        yield lab


async def test_a_driver_gets_the_result_of_another_drivers_command_a3(lab: Lab) -> None:
    assert await lab.execute("A", "execute", target="B", command="along", value="") == "end"
    assert await lab.execute("A", "along", path="B C") == "A > B > end"
    chains = {one.target: one.chain for one in lab.host.executions() if one.command == "along"}
    assert chains["C"] == ("resource/A", "resource/B")


async def test_the_failure_of_another_drivers_command_tells_type_and_message_a3(lab: Lab) -> None:
    with pytest.raises(DriverError, match=r"CloudShellAPIError.*100.*ValueError: no such vlan"):
        await lab.execute("A", "execute", target="B", command="boom")
    with pytest.raises(DriverError, match="no command 'bom'; did you mean 'boom'"):
        await lab.execute("A", "execute", target="B", command="bom")
    with pytest.raises(DriverError, match="no resource 'Z'"):
        await lab.execute("A", "execute", target="Z", command="boom")


async def test_a_command_that_is_cancelled_tells_so_whoever_waits_for_it_a3(lab: Lab) -> None:
    asks = asyncio.create_task(lab.execute("A", "hear", target="B", command="keep_alive"))
    await lab.noted("kept alive")
    (nested,) = [one.id for one in lab.host.executions() if one.command == "keep_alive"]
    await lab.host.cancel(nested, force=True)
    with pytest.raises(DriverError, match="'keep_alive' was cancelled"):
        await asks
    assert "heard CloudShell API error 100: 'keep_alive' was cancelled" in lab.journal.events()


async def test_the_end_of_the_host_reaches_a_driver_that_waits_as_a_failure_a3(
    home: Path, workshop: Workshop
) -> None:
    async with opened(home, workshop) as lab:
        asks = [
            asyncio.create_task(lab.execute(one, "hear", target="B", command="keep_alive"))
            for one in ("A", "C")
        ]
        await lab.noted("kept alive")
        await lab.accepted("keep_alive", 2)
    heard = [event for event in lab.journal.events() if event.startswith("heard")]
    assert len(heard) == 2
    assert all(event.startswith("heard CloudShell API error 100: ") for event in heard)
    assert {"cancelled" in event for event in heard} == {True}
    ended = await asyncio.gather(*asks, return_exceptions=True)
    assert all(isinstance(one, ShelldockError) for one in ended)
    assert not alive(lab.journal.pids())


@pytest.mark.parametrize("crashes", [False, True], ids=["terminated", "crashed"])
async def test_what_was_asked_for_goes_on_when_the_instance_that_waits_is_lost_a3_i16(
    lab: Lab, *, crashes: bool
) -> None:
    pid = int(await lab.execute("A", "pid"))
    asks = asyncio.create_task(lab.execute("A", "execute", target="B", command="hold"))
    await lab.noted("held")
    if crashes:
        os.kill(pid, signal.SIGKILL)
    else:
        await lab.host.terminate("resource/A")
    with pytest.raises(InstanceLost):
        await asks
    (nested,) = [one.id for one in lab.host.executions() if one.command == "hold"]
    # Nobody waits for it any more, so that its target may ask the one that did.
    back = asyncio.create_task(lab.execute("B", "execute", target="A", command="along"))
    lab.journal.path.with_name("journal.go").touch()
    assert (await lab.host.wait(nested)).state == "completed"
    assert await back == "end"
    assert await lab.execute("A", "execute", target="B", command="along") == "end"


async def test_a_result_goes_to_the_output_of_the_sandbox_where_the_driver_asks_for_it_r5(
    lab: Lab,
) -> None:
    sandbox = Sandbox(id="s2")
    await lab.host.start_sandbox(sandbox)
    asks = Target(resource=lab.host.inventory.resource("A"), sandbox=sandbox)
    for how in ("quietly", "execute"):
        await lab.host.execute(asks, how, {"target": "B", "command": "along"}, prints=False)
    printed = [(one.target, one.command, one.text) for one in lab.host.output("s2")]
    assert printed == [("B", "along", "end")]


async def test_what_is_enqueued_is_not_waited_for_a3(lab: Lab) -> None:
    said = await lab.execute("A", "enqueue", target="A", command="along")
    assert said == "went on"
    await lab.noted("along A")


async def test_values_by_position_and_the_list_of_commands_a3_c3(lab: Lab) -> None:
    assert await lab.execute("A", "by_position", target="B") == "by position"
    await lab.noted("end later")
    assert '"keep_alive"' in await lab.execute("A", "commands", target="B")


@pytest.mark.parametrize("path", ["A", "B A", "B C A", "B C B"])
async def test_a_command_that_comes_back_is_refused_with_the_chain_i16(lab: Lab, path: str) -> None:
    with pytest.raises(DriverError, match=r"would wait for itself: .*'along' of 'A' → ") as refused:
        await lab.execute("A", "along", path=path)
    assert refused.value.type == "CloudShellAPIError"
    assert {one.state for one in await lab.host.instances(memory=False)} <= {"ready", "busy"}
    assert await lab.execute("A", "along", path="B") == "A > end"


async def test_of_two_chains_that_cross_one_at_most_goes_on_i16(lab: Lab) -> None:
    crossing = (lab.execute("A", "meet", other="B"), lab.execute("B", "meet", other="A"))
    ended: Iterable[Any] = await asyncio.gather(*crossing, return_exceptions=True)
    failed = [one for one in ended if isinstance(one, BaseException)]
    assert len(failed) == 1
    assert "would wait for itself" in str(failed[0])


async def test_a_concurrent_driver_may_ask_itself_i16(lab: Lab) -> None:
    said = await lab.execute("crowd", "along", path="crowd A crowd")
    assert said == "crowd > crowd > A > end"


async def test_a_command_for_which_no_slot_is_left_is_refused_at_once_i16(
    home: Path, workshop: Workshop
) -> None:
    async with opened(home, workshop, slots=1) as lab:
        with pytest.raises(DriverError, match="no execution server has a free slot"):
            await lab.execute("A", "execute", target="B", command="along")


def eager(lab: Lab, folder: Path, asks: str) -> Target:
    """What asks for a command of ``asks`` while it initializes, and runs any number of commands."""
    more = MORE.format(journal=str(lab.journal.path)) + (
        "\ndef initialize(self, context):\n"
        f"    self.session(context).ExecuteCommand('', {asks!r}, 'Resource', 'pid', [], False)\n"
    )
    folder.mkdir()
    shell = Workshop(folder).shell("Eager", more, requirements=CLIENT, concurrent=True)
    return lab.host.target(shell, "eager")


async def test_initialize_may_not_wait_for_its_own_driver_i16(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"'initialize' failed with .*would wait for itself"):
        await lab.execute(eager(lab, tmp_path / "eager", "eager"), "pid")


async def test_initialize_may_wait_for_another_driver_unless_that_waits_for_it_i16(
    lab: Lab, tmp_path: Path
) -> None:
    target = eager(lab, tmp_path / "eager", "A")
    assert await lab.execute(target, "pid")
    await lab.host.stop("resource/eager")
    with pytest.raises(DriverError, match=r"'initialize' failed with .*would wait for itself"):
        await lab.execute("A", "execute", target="eager", command="pid")
    assert await lab.execute(target, "pid")


async def test_an_endless_command_keeps_its_instance_until_the_sandbox_ends_a3_i9(lab: Lab) -> None:
    traffic = service("tg 1", "Crowd", "s1")
    assert await lab.execute(traffic, "load_config") == "went on"
    await lab.noted("kept alive")
    await asyncio.sleep(2)  # twice the idle limit
    (instance,) = await lab.host.instances(memory=False)
    assert (instance.state, instance.key) == ("busy", "sandbox/s1/service/tg 1")
    async with asyncio.timeout(60):
        await lab.host.end_sandbox("s1")
    assert lab.journal.events()[-2:] == ["let go", "cleanup"]
    assert not alive(lab.journal.pids())


async def test_a_driver_resets_another_i11(lab: Lab) -> None:
    before = await lab.execute("B", "pid")
    await lab.execute("A", "reset", target="B")
    assert lab.journal.events().count("cleanup") == 1
    assert await lab.execute("B", "pid") != before


async def test_discovery_of_a_driver_that_cannot_has_the_code_of_the_product_n4(lab: Lab) -> None:
    with pytest.raises(DriverError, match=r"151.*does not contain 'GetInventory' function"):
        await lab.execute("A", "autoload", target="B")
