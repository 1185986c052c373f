"""What callers give reaches the driver as drivers expect it, from the host's face to the method."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.workshop import target

from shelldock.errors import DriverError, InputError, NotFoundError

if TYPE_CHECKING:
    from tests.workshop import Workshop

    from shelldock import AsyncHost, Target

DECLARED = """
<Category Name="Hidden Commands"><Command Name="cleanup"/></Category>
<Command Name="power_cycle" Tags="power"><Parameters><Parameter Name="delay"/></Parameters></Command>
<Command Name="power_on" Tags="power"/>
<Command Name="configure"><Parameters>
  <Parameter Name="second" DefaultValue="from the metadata"/><Parameter Name="first" Mandatory="True"/>
</Parameters></Command>
<Command Name="encode"><Parameters><Parameter Name="o"/></Parameters></Command>
"""

DRIVER = """
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nowhere import Context

# A base that is not in the sources, with public methods of its own.
class Driver(json.JSONEncoder):
    def __init__(self):
        super().__init__()
        self.closed = 0

    def initialize(self, context):
        self.first_token = context.connectivity.admin_auth_token

    def cleanup(self):
        self.closed += 1
        return "closed %d times" % self.closed

    def power_cycle(self, context: "Context", ports, delay="0"):
        return {"context": type(context).__name__, "ports": ports, "delay": delay}

    def power_on(self, context, ports):
        return [[port, one.fullname, one.address] for port, one in zip(ports, context.remote_endpoints)]

    def configure(self, context, first, second, third="own"):
        return [first, second, third]

    def anything(self, context, **more):
        return sorted(name for name in more if name not in ("ports", "cancellation_context"))

    def deploy(self, context, request):
        return [type(request).__name__, json.loads(request)["driverRequest"]]

    def kinds(self, context, number, flag):
        return [type(number).__name__, type(flag).__name__]

    def token(self, context):
        return context.connectivity.admin_auth_token

    def _private(self, context):
        return "private"
"""


@pytest.fixture
def box(host: AsyncHost, workshop: Workshop) -> Target:
    """A target of the driver above."""
    return target(host, workshop.shell(source=DRIVER, commands=DECLARED))


async def told(host: AsyncHost, box: Target, command: str, *values: str, **inputs: str) -> object:
    """What a command returns, given by position or by name."""
    return json.loads((await host.execute(box, command, values or inputs)).result or "null")


async def test_values_and_names_reach_the_method_whatever_its_order_c3(
    host: AsyncHost, box: Target
) -> None:
    default = "from the metadata"
    assert await told(host, box, "configure", first="1") == ["1", default, "own"]
    assert await told(host, box, "configure", third="3", first="1") == ["1", default, "3"]
    assert await told(host, box, "configure", "2", "1") == ["1", "2", "own"]
    assert await told(host, box, "configure", "2", "1", "3") == ["1", "2", "3"]
    with pytest.raises(InputError, match="got 4 values; it takes 3: second, first, third"):
        await host.execute(box, "configure", ["1", "2", "3", "4"])


async def test_a_method_with_any_keywords_gets_every_input_c3(host: AsyncHost, box: Target) -> None:
    assert await told(host, box, "anything", colour="red", size="2") == ["colour", "size"]


async def test_what_users_give_stays_text_and_ports_are_a_list_c4(
    host: AsyncHost, box: Target
) -> None:
    assert await told(host, box, "kinds", number="1", flag="True") == ["str", "str"]
    assert await told(host, box, "deploy", '{"driverRequest": {}}') == ["str", {}]
    ended = await host.execute(box, "power_cycle", ["5"], ports=["PDU/1", "PDU/2"])
    assert json.loads(ended.result or "") == {
        "context": "ResourceRemoteCommandContext",
        "ports": ["PDU/1", "PDU/2"],
        "delay": "5",
    }


OUTLETS = json.dumps(
    {
        "resources": [
            {"name": f"Outlet {n}", "model": "Outlet", "relative_address": str(n)}
            for n in (1, 2, 3)
        ],
        "attributes": [],
    }
)


async def test_ports_bring_what_they_are_connected_to_as_endpoints_in_their_order_i14(
    host: AsyncHost, workshop: Workshop
) -> None:
    shell = host.catalog.add(workshop.shell("pdu", source=DRIVER, commands=DECLARED))
    host.inventory.create("pdu", shell, "10.0.0.9")
    host.inventory.replace_tree("pdu", OUTLETS)
    for number, server in (("1", "web"), ("2", "mail")):
        host.inventory.create(server, shell, f"10.0.0.{number}")
        host.connections.connect(f"pdu/Outlet {number}", server)
    ports = ["pdu/Outlet 2", "pdu/Outlet 1"]
    ended = await host.execute("pdu", "power_on", ports=ports)
    assert json.loads(ended.result or "") == [
        ["pdu/Outlet 2", "mail", "10.0.0.2"],
        ["pdu/Outlet 1", "web", "10.0.0.1"],
    ]
    with pytest.raises(InputError, match="'pdu/Outlet 3' is connected to nothing"):
        await host.execute("pdu", "power_on", ports=[*ports, "pdu/Outlet 3"])
    given = [host.inventory.resource("web")]
    ended = await host.execute("pdu", "power_on", ports=["pdu/Outlet 3"], endpoints=given)
    assert json.loads(ended.result or "") == [["pdu/Outlet 3", "web", "10.0.0.1"]]
    assert (await host.execute("pdu", "power_on", ports=["pdu/Outlet 3"])).result == "[]"


async def test_a_declared_method_of_a_base_is_a_command_and_so_is_a_declared_cleanup_c1(
    host: AsyncHost, box: Target
) -> None:
    assert (await host.execute(box, "encode", {"o": "x"})).result == '"x"'
    assert (await host.execute(box, "cleanup")).result == "closed 1 times"
    assert (await host.execute(box, "cleanup")).result == "closed 2 times"
    for name in ("_private", "initialize", "configuer"):
        with pytest.raises((NotFoundError, DriverError), match=name):
            await host.execute(box, name)


async def test_every_command_has_a_token_of_its_own_c9(host: AsyncHost, box: Target) -> None:
    tokens = {(await host.execute(box, "token")).result for _ in range(3)}
    assert len(tokens) == 3


CALLS_EARLY = """
import re
import urllib.request

def ask(context, method, body):
    connectivity = context.connectivity
    url = "http://%s:8029/ResourceManagerApiService/%s" % (connectivity.server_address, method)
    headers = {"Authorization": "MachineName=here:8029;Token=" + connectivity.admin_auth_token}
    text = "<%s>%s</%s>" % (method, body, method)
    return urllib.request.urlopen(urllib.request.Request(url, text.encode(), headers)).read().decode()

class Driver:
    def initialize(self, context):
        token = context.connectivity.admin_auth_token
        logon = "<token>%s</token><domainName>Global</domainName>" % token
        self.session = re.search('Token="([^"]+)"', ask(context, "SecureLogon", logon)).group(1)
        secret = context.resource.attributes["Early.Password"]
        answer = ask(context, "DecryptPassword", "<encryptedString>%s</encryptedString>" % secret)
        self.password = re.search('Value="([^"]*)"', answer).group(1)

    def told(self, context):
        return [bool(self.session), self.password, context.resource.attributes["Early.Password"]]
"""


async def test_the_api_answers_during_initialize_a1_n5(host: AsyncHost, workshop: Workshop) -> None:
    shell = workshop.shell("Early", source=CALLS_EARLY)
    early = host.target(shell, "early", attributes={"Password": "s3cret"})
    logged_on, clear, given = json.loads((await host.execute(early, "told")).result or "")
    assert (logged_on, clear) == (True, "s3cret")
    assert given not in ("", "s3cret")


SPEAKS = """
import urllib.request

class Driver:
    def save(self, context):
        connectivity, sandbox = context.connectivity, context.reservation.reservation_id
        url = "http://%s:8029/ResourceManagerApiService/WriteMessageToReservationOutput"
        request = urllib.request.Request(
            url % connectivity.server_address,
            ("<W><reservationId>%s</reservationId><message>half way</message></W>" % sandbox).encode(),
            {"Authorization": "MachineName=here:8029;Token=" + connectivity.admin_auth_token},
        )
        urllib.request.urlopen(request).read()
        return "saved"

    def nothing(self, context):
        pass
"""


async def test_output_goes_to_its_sandbox_unless_the_caller_says_no_r5(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell("Speaker", source=SPEAKS), sandbox="s1")
    await host.execute(box, "save")
    await host.execute(box, "save", prints=False)
    await host.execute(box, "nothing")
    written = [(one.target, one.command, one.text) for one in host.output("s1")]
    assert written == [
        ("box", "save", "half way"),
        ("box", "save", "saved"),
        ("box", "save", "half way"),
    ]
    await host.execute(target(host, workshop.folder / "Speaker", sandbox="s2"), "nothing")
    assert host.output("s2") == []
