"""Each operation that drivers call does to the host what its name says, and refuses in words (A2, A4, N6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import pytest

from shelldock.errors import StoreError
from shelldock_compat.listener import Request, Response

if TYPE_CHECKING:
    from tests.compat.conftest import Caller, World


def info(reply: Element) -> Element:
    """What a successful reply holds."""
    assert reply.get("Success") == "true", reply.findtext("Error")
    assert reply.findtext("ErrorCode") == "0"
    assert reply.find("Error") is None
    found = reply.find("ResponseInfo")
    assert found is not None
    return found


def done(reply: Element) -> None:
    """A successful reply without content."""
    assert reply.get("Success") == "true", reply.findtext("Error")
    assert reply.find("ResponseInfo") is None


def refused(reply: Element) -> tuple[str | None, str]:
    """Code and words of a failure."""
    assert reply.get("Success") == "false"
    return reply.findtext("ErrorCode"), reply.findtext("Error") or ""


# ---- sessions -----------------------------------------------------------------------------------


def test_a1_secure_logon_turns_a_drivers_token_into_a_session_of_the_same_subject(
    ask: Caller, world: World
) -> None:
    reply = info(ask("SecureLogon", token=world.token, domainName="Lab"))
    token = reply.find("Token")
    domain = reply.find("Domain")
    assert token is not None
    assert domain is not None
    assert world.tokens.subject(token.get("Token", "")) == world.execution
    assert (domain.get("Name"), domain.get("DomainId")) == ("Lab", "Lab")


def test_a1_a_second_logon_leaves_the_first_session_valid(ask: Caller, world: World) -> None:
    first = info(ask("SecureLogon", token=world.token)).find("Token")
    info(ask("SecureLogon", token=world.token))
    assert first is not None
    assert ask.raw("GetResourceDetails", b"<a/>", first.get("Token")).status == 200


@pytest.mark.parametrize("operation", ["Logon", "SecureLogon"])
def test_a_refused_logon_has_status_200_since_a_401_makes_clients_recurse(
    ask: Caller, operation: str
) -> None:
    response = ask.raw(operation, b"<x><username>admin</username><token>wrong</token></x>", "")
    assert response.status == 200
    assert b'Success="false"' in response.body
    assert b"<Error>Login failed for user" in response.body


def test_logoff_succeeds(ask: Caller) -> None:
    done(ask("Logoff"))


@pytest.mark.parametrize("token", ["", "Unset", "0" * 80])
def test_an_unknown_session_gets_a_401_whose_body_says_so(ask: Caller, token: str) -> None:
    response = ask.raw("DecryptPassword", b"<DecryptPassword/>", token)
    assert response.status == 401
    assert b'Success="false"' in response.body
    assert b"<ErrorCode>118</ErrorCode>" in response.body


def test_a4_an_operation_that_is_not_offered_is_refused_by_name_and_logged(
    ask: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    code, words = refused(ask("GetResourceDetail"))
    assert code == "100"
    assert "'GetResourceDetail'" in words
    assert "did you mean 'GetResourceDetails'" in words
    assert "'GetResourceDetail'" in caplog.text


def test_the_path_may_be_in_any_case_and_have_slashes_to_spare(ask: Caller, world: World) -> None:
    request = Request(
        method="POST",
        target="//resourcemanagerapiservice///decryptPASSWORD/?x=1",
        headers={"authorization": f"Bearer {world.token}"},
        body=b"<DecryptPassword><encryptedString>x</encryptedString></DecryptPassword>",
    )
    answer = ask.api(request)
    assert isinstance(answer, Response)
    body = answer.body
    assert b'CommandName="DecryptPassword" Success="true"' in body


def test_another_path_is_not_found(ask: Caller) -> None:
    answer = ask.api(Request(method="GET", target="/", headers={}))
    assert isinstance(answer, Response)
    assert answer.status == 404


# ---- passwords and sandboxes --------------------------------------------------------------------


def test_n5_decrypt_password_gives_the_clear_text(ask: Caller, world: World) -> None:
    encrypted = world.inventory.resource("sw1").attributes["MySwitch.Password"]
    assert encrypted != "pass\n<&\"'é"
    assert info(ask("DecryptPassword", encryptedString=encrypted)).get("Value") == "pass\n<&\"'é"


@pytest.mark.parametrize("text", ["", "never encrypted"])
def test_n5_decrypt_password_passes_other_text_through(ask: Caller, text: str) -> None:
    assert info(ask("DecryptPassword", encryptedString=text)).get("Value") == text


def test_a_message_reaches_the_execution_that_says_it(ask: Caller, world: World) -> None:
    done(ask("WriteMessageToReservationOutput", reservationId="r1", message="a\n<b>"))
    assert world.messages == ("a\n<b>",)


def test_an_escape_byte_in_a_message_is_no_obstacle(ask: Caller, world: World) -> None:
    body = b"<W><reservationId>r1</reservationId><message>\x1b[31mred\x00&#27;&#65535;&#xD800;</message></W>"
    assert b'Success="true"' in ask.raw("WriteMessageToReservationOutput", body).body
    assert world.messages == ("[31mred\ufffd\ufffd\ufffd",)


def test_a2_reservation_details_list_resources_apps_and_services(ask: Caller) -> None:
    described = info(ask("GetReservationDetails", reservationId="r1")).find(
        "ReservationDescription"
    )
    assert described is not None
    assert described.get("Name") == "sb"
    assert described.get("Status") == "Started"
    assert [one.text for one in described.findall("Topologies/*")] == ["bp1"]
    switch, app = described.findall("Resources/*")
    assert (switch.get("Name"), switch.get("FullAddress")) == ("sw1", "10.0.0.1")
    assert switch.find("VmDetails") is None
    vm = app.find("VmDetails")
    assert vm is not None
    assert vm.get("UID") == "vm-7"
    assert [one.attrib for one in vm.findall("VmCustomParams/*")] == [
        {"Name": "auto", "Value": "no"}
    ]
    (service,) = described.findall("Services/*")
    assert (service.get("Alias"), service.get("ServiceName")) == ("my svc", "MySwitch")


def test_a_sandbox_that_is_not_there_is_refused_by_name(ask: Caller) -> None:
    assert "'r9'" in refused(ask("GetReservationDetails", reservationId="r9"))[1]


# ---- resources ----------------------------------------------------------------------------------


def test_a2_resource_details_tell_the_whole_tree(ask: Caller) -> None:
    switch = info(ask("GetResourceDetails", resourceFullPath="sw1"))
    assert switch.get("DriverName") == "MySwitchDriver"
    assert switch.get("Description") == "a & b"
    types = {one.get("Name"): one.get("Type") for one in switch.findall("ResourceAttributes/*")}
    assert types["MySwitch.Password"] == "Password"
    assert types["MySwitch.Sessions"] == "Numeric"
    (port,) = switch.findall("ChildResources/ResourceInfo/ChildResources/ResourceInfo")
    assert port.get("Name") == "sw1/Chassis 1/P1"
    assert port.get("Address") == "P1"
    assert port.get("FullAddress") == "10.0.0.1/CH1/P1"
    assert port.get("RootAddress") == "10.0.0.1"


def test_resource_details_tell_the_folder_and_what_is_connected_by_full_path(
    ask: Caller, world: World
) -> None:
    world.inventory.set("sw1", folder="Lab 1/Rack 3")
    shell = world.callbacks.shell_of(world.inventory.resource("sw1"), "")
    assert shell
    world.inventory.create("pdu", shell, folder="Power")
    world.connections.connect("sw1/Chassis 1/P1", "pdu", 5)
    switch = info(ask("GetResourceDetails", resourceFullPath="Lab 1/Rack 3/sw1"))
    assert (switch.get("Name"), switch.get("FolderFullPath")) == ("sw1", "Lab 1/Rack 3")
    assert switch.findall("Connections/*") == []
    (port,) = switch.findall("ChildResources/ResourceInfo/ChildResources/ResourceInfo")
    assert port.get("FolderFullPath") == "Lab 1/Rack 3"
    assert [one.attrib for one in port.findall("Connections/Connection")] == [
        {"FullPath": "Power/pdu", "Weight": "5"}
    ]
    pdu = info(ask("GetResourceDetails", resourceFullPath="pdu"))
    assert [one.get("FullPath") for one in pdu.findall("Connections/Connection")] == [
        "Lab 1/Rack 3/sw1/Chassis 1/P1"
    ]
    path = "Lab 1/Rack 3/sw1/Chassis 1/P1"
    assert info(ask("GetResourceDetails", resourceFullPath=path)).get("Name") == path[13:]
    refused(ask("GetResourceDetails", resourceFullPath="Lab 1/sw1"))


def test_a_driver_connects_ports_and_takes_cables_away(ask: Caller, world: World) -> None:
    shell = world.callbacks.shell_of(world.inventory.resource("sw1"), "")
    assert shell
    world.inventory.create("pdu", shell, folder="Power")
    world.inventory.create("ups", shell)

    def connect(one: str, other: str, override: str) -> Element:
        return ask(
            "UpdatePhysicalConnection",
            resourceAFullPath=one,
            resourceBFullPath=other,
            overrideExistingConnections=override,
        )

    done(connect("Power/pdu", "sw1", "False"))
    assert world.connections.of(["sw1"]) == {"sw1": "pdu"}
    _, words = refused(connect("ups", "pdu", "False"))
    assert "'pdu' is connected to 'sw1' already" in words
    done(connect("ups", "pdu", "True"))
    assert world.connections.of(["sw1", "pdu"]) == {"pdu": "ups"}
    for _ in range(2):
        done(connect("ups", "", "True"))
    assert world.connections.all() == []


@pytest.mark.parametrize(
    ("weight", "said"), [("heavy", "'heavy'"), ("-1", "'-1'"), ("", "''"), ("9" * 5000, "'999")]
)
def test_a_weight_that_is_none_is_refused(
    ask: Caller, world: World, weight: str, said: str
) -> None:
    world.connections.connect("sw1", "sw1/Chassis 1/P1", 5)
    ends = {"resourceAFullPath": "sw1", "resourceBFullPath": "sw1/Chassis 1/P1"}
    assert said in refused(ask("UpdateConnectionWeight", **ends, weight=weight))[1]
    assert [one.weight for one in world.connections.all()] == [5]
    done(ask("UpdateConnectionWeight", **ends, weight="7"))
    assert [one.weight for one in world.connections.all()] == [7]


def test_n2_resource_details_tell_the_static_vm_that_discovery_reported(
    ask: Caller, world: World
) -> None:
    said = {
        "UID": "42-ab",
        "CloudProviderName": "vc",
        "VmCustomParams": [{"Name": "a", "Value": 1}],
    }
    row = {"relative_address": "", "attribute_name": "VmDetails", "attribute_value": said}
    world.inventory.replace_tree("sw1", json.dumps({"resources": [], "attributes": [row]}))
    vm = info(ask("GetResourceDetails", resourceFullPath="sw1")).find("VmDetails")
    assert vm is not None
    assert (vm.get("UID"), vm.get("CloudProviderFullName")) == ("42-ab", "vc")
    assert [one.attrib for one in vm.findall("VmCustomParams/*")] == [{"Name": "a", "Value": "1"}]


def test_a2_a_sub_resource_is_described_alike_when_it_is_asked_for(ask: Caller) -> None:
    port = info(ask("GetResourceDetails", resourceFullPath="sw1/Chassis 1/P1"))
    assert port.get("FullAddress") == "10.0.0.1/CH1/P1"
    assert port.get("RootAddress") == "10.0.0.1"


def test_resource_details_do_not_fail_when_something_about_the_resource_does(
    ask: Caller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(world.callbacks, "children", broken)
    monkeypatch.setattr(world.callbacks, "shell_of", broken)
    monkeypatch.setattr(world.callbacks, "connections", broken)
    assert info(ask("GetResourceDetails", resourceFullPath="sw1")).get("Name") == "sw1"


def test_a_resource_that_is_not_there_is_refused_by_name(ask: Caller) -> None:
    code, words = refused(ask("GetResourceDetails", resourceFullPath="nosuch"))
    assert code == "100"
    assert "'nosuch'" in words


@pytest.mark.parametrize("status", ["Online", "Offline", "Stopped", "Error", "Progress 30", "Mine"])
def test_n6_a_live_status_is_kept_and_told(ask: Caller, status: str) -> None:
    done(
        ask(
            "SetResourceLiveStatus",
            resourceFullName="sw1",
            liveStatusName=status,
            additionalInfo="why\nso",
        )
    )
    live = info(ask("GetResourceLiveStatus", resourceFullPath="sw1"))
    assert (live.get("liveStatusName"), live.get("liveStatusDescription")) == (status, "why\nso")
    details = info(ask("GetResourceDetails", resourceFullPath="sw1"))
    assert details.get("ResourceLiveStatusName") == status


def test_n6_an_empty_live_status_is_refused(ask: Caller) -> None:
    assert "Online" in refused(ask("SetResourceLiveStatus", resourceFullName="sw1"))[1]


def test_n6_the_live_status_of_a_service_is_kept(ask: Caller, world: World) -> None:
    done(
        ask(
            "SetServiceLiveStatus",
            reservationId="r1",
            serviceAlias="my svc",
            liveStatusName="Online",
        )
    )
    assert world.service().status == "Online"


def test_a_service_that_is_not_there_is_refused_by_name(ask: Caller) -> None:
    reply = ask(
        "SetServiceLiveStatus", reservationId="r1", serviceAlias="my src", liveStatusName="Online"
    )
    assert "did you mean 'my svc'" in refused(reply)[1]


def test_a2_an_address_is_updated(ask: Caller, world: World) -> None:
    done(ask("UpdateResourceAddress", resourceFullPath="sw1", resourceAddress="10.0.0.2"))
    assert world.inventory.resource("sw1").address == "10.0.0.2"


# ---- attributes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MySwitch.User", "User", "user"])
def test_a2_an_attribute_is_set_and_told_by_its_full_or_short_name(
    ask: Caller, world: World, name: str
) -> None:
    done(ask("SetAttributeValue", resourceFullPath="sw1", attributeName=name, attributeValue="bob"))
    assert world.inventory.resource("sw1").attributes["MySwitch.User"] == "bob"
    told = info(ask("GetAttributeValue", resourceFullPath="sw1", attributeName=name))
    assert (told.get("Name"), told.get("Value")) == ("MySwitch.User", "bob")


def test_a2_an_attribute_of_a_sub_resource_is_set(ask: Caller, world: World) -> None:
    port = "sw1/Chassis 1/P1"
    done(
        ask("SetAttributeValue", resourceFullPath=port, attributeName="MTU", attributeValue="9000")
    )
    assert world.inventory.resource(port).attributes["MySwitch.GenericPort.MTU"] == "9000"


def test_n5_a_password_that_is_set_is_encrypted_and_told_encrypted(
    ask: Caller, world: World
) -> None:
    done(
        ask(
            "SetAttributeValue",
            resourceFullPath="sw1",
            attributeName="Password",
            attributeValue="new",
        )
    )
    kept = world.inventory.resource("sw1").attributes["MySwitch.Password"]
    assert kept != "new"
    assert world.vault.decrypt(kept) == "new"
    told = info(ask("GetAttributeValue", resourceFullPath="sw1", attributeName="Password"))
    assert told.get("Value") == kept


def test_an_attribute_that_is_not_there_is_refused_by_name(ask: Caller) -> None:
    reply = ask(
        "SetAttributeValue", resourceFullPath="sw1", attributeName="Usr", attributeValue="x"
    )
    words = refused(reply)[1]
    assert "'Usr'" in words
    assert "MySwitch.User" in words


def many(*changes: tuple[str, str, str]) -> bytes:
    """A request for many changes, in the shape that clients send."""
    requests = "".join(
        "<ResourceAttributesUpdateRequest><AttributeNamesValues><AttributeNameValue>"
        f"<Name>{name}</Name>{value}"
        f"</AttributeNameValue></AttributeNamesValues><ResourceFullName>{resource}</ResourceFullName>"
        "</ResourceAttributesUpdateRequest>"
        for resource, name, value in changes
    )
    field = "resourcesAttributesUpdateRequests"
    return f"<SetAttributesValues><{field}>{requests}</{field}></SetAttributesValues>".encode()


def test_a2_attributes_of_many_resources_are_set_at_once(ask: Caller, world: World) -> None:
    body = many(
        ("sw1", "User", "<Value>eve</Value>"), ("sw1/Chassis 1/P1", "MTU", "<Value>1</Value>")
    )
    assert b'Success="true"' in ask.raw("SetAttributesValues", body).body
    assert world.inventory.resource("sw1").attributes["MySwitch.User"] == "eve"
    assert (
        world.inventory.resource("sw1/Chassis 1/P1").attributes["MySwitch.GenericPort.MTU"] == "1"
    )


def test_a_number_that_clients_write_beside_the_name_is_taken(ask: Caller, world: World) -> None:
    body = many(("sw1", "Sessions", "")).replace(b"<AttributeNameValue>", b"<AttributeNameValue>5")
    assert b'Success="true"' in ask.raw("SetAttributesValues", body).body
    assert world.inventory.resource("sw1").attributes["MySwitch.Sessions"] == "5"


def test_where_one_of_many_is_not_there_all_are_named_and_none_is_set(
    ask: Caller, world: World
) -> None:
    value = "<Value>x</Value>"
    body = many(("sw1", "User", value), ("sw1", "No", value), ("sw9", "User", value))
    answer = ask.raw("SetAttributesValues", body).body.decode()
    assert "'No'" in answer
    assert "'sw9'" in answer
    assert world.inventory.resource("sw1").attributes["MySwitch.User"] == "admin"


def test_attributes_of_a_service_are_set(ask: Caller, world: World) -> None:
    body = (
        b"<S><reservationId>r1</reservationId><serviceAlias>my svc</serviceAlias><attributeRequests>"
        b"<AttributeNameValue><Name>User</Name><Value>tim</Value></AttributeNameValue></attributeRequests></S>"
    )
    assert b'Success="true"' in ask.raw("SetServiceAttributesValues", body).body
    assert world.service().attributes["MySwitch.User"] == "tim"


# ---- trouble ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<DecryptPassword>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><DecryptPassword><encryptedString>&a;</encryptedString></DecryptPassword>',
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b"\xff\xfe<",
        b"<a>" * 200_000,
    ],
    ids=["empty", "text", "open", "entity", "encoding", "bytes", "deep"],
)
def test_a_body_that_is_not_well_formed_is_refused(ask: Caller, body: bytes) -> None:
    response = ask.raw("DecryptPassword", body)
    assert response.status == 200
    assert b'Success="false"' in response.body


def test_a_bug_behind_the_api_reaches_the_driver_as_a_failure(
    ask: Caller, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: str) -> str:
        raise KeyError("oops")

    monkeypatch.setattr(world.callbacks, "decrypt", broken)
    assert "'DecryptPassword'" in refused(ask("DecryptPassword", encryptedString="x"))[1]
    assert "oops" in caplog.text
