"""Drivers get the context class that their command asks for, with every field that any version knows."""

from __future__ import annotations

import json
import timeit

import pytest

from shelldock.model import Call, Connectivity, Kind, Resource, Sandbox, Target
from shelldock_cloudshell.contexts import shelldock_context

SANDBOX = Sandbox(
    id="guid",
    name="My sandbox",
    blueprint="Lab/Base",
    domain="Labs",
    description="about",
    owner="ann",
    owner_email="ann@example.org",
)
SWITCH = Resource(
    name="sw1",
    id="7",
    model="Cisco IOS Switch 2G",
    family="CS_Switch",
    address="10.0.0.1",
    description="core",
    attributes={"Cisco IOS Switch 2G.User": "root", "CS_Switch.Vendor": ""},
)
APP = Resource(
    name="web_3f2a",
    family="CS_GenericAppFamily",
    app_request='{"name": "web"}',
    deployed_app='{"name": "web_3f2a"}',
)


def call(command: str, **more: object) -> Call:
    facts: dict[str, object] = {
        "execution": "e1",
        "target": Target(resource=SWITCH, sandbox=SANDBOX),
        "command": command,
        "connectivity": Connectivity(address="127.9.8.7", token="t0k3n"),
    } | more
    return Call(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("command", "tags", "name", "fields"),
    [
        ("initialize", (), "InitCommandContext", set()),
        ("get_inventory", (), "AutoLoadCommandContext", set()),
        ("ping", (), "ResourceCommandContext", {"reservation", "connectors"}),
        ("Deploy", ("allow_unreserved",), "ResourceCommandContext", {"reservation", "connectors"}),
        (
            "PowerOn",
            ("power",),
            "ResourceRemoteCommandContext",
            {"remote_reservation", "remote_endpoints"},
        ),
        (
            "remote_refresh_ip",
            ("allow_unreserved", "remote_connectivity"),
            "ResourceRemoteCommandContext",
            {"remote_reservation", "remote_endpoints"},
        ),
        ("DeleteSavedApps", ("allow_unreserved",), "UnreservedResourceCommandContext", set()),
    ],
)
def test_the_class_follows_from_entry_point_and_tags_c7_c8_d5(
    command: str, tags: tuple[str, ...], name: str, fields: set[str]
) -> None:
    context = shelldock_context(call(command, tags=tags))
    assert context.pop("$class") == name
    assert set(context) == {"connectivity", "resource"} | fields


def test_the_resource_is_told_with_all_its_fields_C7() -> None:
    assert shelldock_context(call("ping"))["resource"] == {
        "$class": "ResourceContextDetails",
        "id": "7",
        "name": "sw1",
        "fullname": "sw1",
        "type": "Resource",
        "address": "10.0.0.1",
        "model": "Cisco IOS Switch 2G",
        "family": "CS_Switch",
        "description": "core",
        "attributes": {"Cisco IOS Switch 2G.User": "root", "CS_Switch.Vendor": ""},
        "app_context": {"$class": "AppContext", "app_request_json": "", "deployed_app_json": ""},
        "networks_info": "",
        "shell_standard": "",
        "shell_standard_version": "",
    }


def test_connectivity_is_text_with_this_call_s_token_C9() -> None:
    assert shelldock_context(call("ping"))["connectivity"] == {
        "$class": "ConnectivityContext",
        "server_address": "127.9.8.7",
        "cloudshell_api_port": "8029",
        "quali_api_port": "9000",
        "admin_auth_token": "t0k3n",
        "cloudshell_version": "2024.1",
        "cloudshell_api_scheme": "http",
        "use_webapi_endpoint": "False",
    }


def test_the_sandbox_is_told_with_all_its_fields_C7() -> None:
    assert shelldock_context(call("ping"))["reservation"] == {
        "$class": "ReservationContextDetails",
        "reservation_id": "guid",
        "environment_name": "Base",
        "environment_path": "Lab/Base",
        "domain": "Labs",
        "description": "about",
        "owner_user": "ann",
        "owner_email": "ann@example.org",
        "saved_sandbox_name": "",
        "saved_sandbox_id": "",
        "running_user": "ann",
        "cloud_info_access_key": "",
    }


def test_without_a_sandbox_the_reservation_is_none_C8() -> None:
    alone = Target(resource=SWITCH)
    assert shelldock_context(call("ping", target=alone))["reservation"] is None
    assert (
        shelldock_context(call("PowerOn", target=alone, tags=("power",)))["remote_reservation"]
        is None
    )


@pytest.mark.parametrize(
    ("kind", "type"), [("resource", "Resource"), ("app", "App"), ("service", "Service")]
)
def test_the_type_follows_from_the_kind_C10(kind: Kind, type: str) -> None:
    context = shelldock_context(
        call("ping", target=Target(kind=kind, resource=APP, sandbox=SANDBOX))
    )
    resource = context["resource"]
    assert isinstance(resource, dict)
    assert resource["type"] == type
    assert resource["app_context"] == {
        "$class": "AppContext",
        "app_request_json": '{"name": "web"}',
        "deployed_app_json": '{"name": "web_3f2a"}',
    }


def test_endpoints_make_a_call_remote_and_stay_in_order_C8_C10() -> None:
    port = Resource(name="pdu1/Socket 3", family="CS_PowerSocket")
    context = shelldock_context(call("go", endpoints=(APP, port), ports=("a", "b")))
    assert context["$class"] == "ResourceRemoteCommandContext"
    endpoints = context["remote_endpoints"]
    assert isinstance(endpoints, list)
    assert [(one["name"], one["fullname"], one["type"]) for one in endpoints] == [
        ("web_3f2a", "web_3f2a", "App"),
        ("Socket 3", "pdu1/Socket 3", "Resource"),
    ]
    assert json.loads(endpoints[0]["app_context"]["deployed_app_json"]) == {"name": "web_3f2a"}


def test_an_app_that_nobody_described_is_told_in_the_schema_of_deployed_apps_c10() -> None:
    app = Resource(
        name="web", model="Web", family="CS_GenericAppFamily", attributes={"Web.User": "root"}
    )
    target = Target(kind="app", resource=app, sandbox=SANDBOX)
    resource = shelldock_context(call("ping", target=target))["resource"]
    assert isinstance(resource, dict)
    assert resource["app_context"]["app_request_json"] == ""
    assert json.loads(resource["app_context"]["deployed_app_json"]) == {
        "name": "web",
        "family": "CS_GenericAppFamily",
        "model": "Web",
        "address": "",
        "attributes": [{"name": "Web.User", "value": "root"}],
        "vmdetails": {"id": "", "cloudProviderId": "", "uid": "", "vmCustomParams": []},
    }


@pytest.mark.parametrize("kind", ["resource", "service"])
def test_what_is_no_app_has_an_empty_app_context_c10(kind: Kind) -> None:
    target = Target(kind=kind, resource=SWITCH, sandbox=SANDBOX)
    resource = shelldock_context(call("ping", target=target))["resource"]
    assert isinstance(resource, dict)
    assert not any(
        resource["app_context"][one] for one in ("app_request_json", "deployed_app_json")
    )


def test_connectors_and_endpoints_are_lists_when_there_are_none_c11() -> None:
    assert shelldock_context(call("ping"))["connectors"] == []
    assert shelldock_context(call("PowerOn", tags=("power",)))["remote_endpoints"] == []


def test_a_context_is_plain_data_of_its_own_C11() -> None:
    context = shelldock_context(call("ping"))
    assert json.loads(json.dumps(context)) == context
    resource = context["resource"]
    assert isinstance(resource, dict)
    resource["attributes"]["CS_Switch.Vendor"] = "changed"
    assert SWITCH.attributes["CS_Switch.Vendor"] == ""


def test_a_context_costs_little() -> None:
    # Some 3 µs where it was measured; the bound is for a machine that is busy with other things.
    asked = call("ping")
    best = min(timeit.repeat(lambda: shelldock_context(asked), number=1000, repeat=5)) / 1000
    assert best < 200e-6
