"""What drivers get as ``context``: the classes of cloudshell-shell-core as plain data, named by ``$class``."""

from __future__ import annotations

import json
from typing import Final

from shelldock.hookspecs import hookimpl
from shelldock.model import Call, Connectivity, Resource, Sandbox

VERSION: Final = "2024.1"
"""The CloudShell version that drivers are told: they ask it to choose between forms of the API."""

_TYPES: Final = {"resource": "Resource", "app": "App", "service": "Service"}
_APP_FAMILIES: Final = ("CS_GenericAppFamily", "Generic App Family")
_UNRESERVED: Final = frozenset({"DeleteSavedApps"})


@hookimpl(trylast=True)
def shelldock_context(call: Call) -> dict[str, object]:
    """The context for ``call``, of the class that its entry point and tags ask for (C8).

    ``initialize``: ``InitCommandContext``; ``get_inventory``: ``AutoLoadCommandContext``; a command with endpoints
    or with a tag ``power`` or ``remote_…``: ``ResourceRemoteCommandContext``; all else: ``ResourceCommandContext``,
    whose ``reservation`` is None outside of a sandbox. Every field that any version knows is there (C7, C11).
    """
    target = call.target
    context: dict[str, object] = {
        "$class": "ResourceCommandContext",
        "connectivity": _connectivity(call.connectivity),
        "resource": _resource(target.resource, _TYPES[target.kind]),
    }
    if call.command == "initialize":
        context["$class"] = "InitCommandContext"
    elif call.command == "get_inventory":
        context["$class"] = "AutoLoadCommandContext"
    elif call.command in _UNRESERVED:
        context["$class"] = "UnreservedResourceCommandContext"
    elif call.endpoints or _is_remote(call.tags):
        context["$class"] = "ResourceRemoteCommandContext"
        context["remote_reservation"] = _reservation(target.sandbox)
        context["remote_endpoints"] = [_resource(one, _type(one)) for one in call.endpoints]
    else:
        context["reservation"] = _reservation(target.sandbox)
        context["connectors"] = []
    return context


def _is_remote(tags: tuple[str, ...]) -> bool:
    return any(tag == "power" or tag.startswith("remote_") for tag in tags)


def _type(endpoint: Resource) -> str:
    return "App" if endpoint.family in _APP_FAMILIES else "Resource"


def _connectivity(one: Connectivity) -> dict[str, object]:
    return {
        "$class": "ConnectivityContext",
        "server_address": one.address,
        "cloudshell_api_port": str(one.api_port),
        "quali_api_port": str(one.rest_port),
        "admin_auth_token": one.token,
        "cloudshell_version": VERSION,
        "cloudshell_api_scheme": one.scheme,
        "use_webapi_endpoint": "False",
    }


def _resource(one: Resource, type_: str) -> dict[str, object]:
    name = one.name
    return {
        "$class": "ResourceContextDetails",
        "id": one.id,
        "name": name.rpartition("/")[2],
        "fullname": name,
        "type": type_,
        "address": one.address,
        "model": one.model,
        "family": one.family,
        "description": one.description,
        "attributes": dict(one.attributes),
        "app_context": {
            "$class": "AppContext",
            "app_request_json": one.app_request,
            "deployed_app_json": _deployed_app(one, type_),
        },
        "networks_info": "",
        "shell_standard": "",
        "shell_standard_version": "",
    }


def _deployed_app(one: Resource, type_: str) -> str:
    """The description of an app or a static VM (C10); empty for other resources.

    An app may have come without CloudShell's, and of a static VM only the machine is kept: then the rest is what the
    resource is now.
    """
    if not one.deployed_app and type_ != "App":
        return ""
    machine = _machine(one.deployed_app)
    if one.deployed_app and not machine:
        return one.deployed_app
    said = {
        "name": one.name,
        "family": one.family,
        "model": one.model,
        "address": one.address,
        "attributes": [{"name": name, "value": value} for name, value in one.attributes.items()],
        "vmdetails": {"id": "", "cloudProviderId": "", "uid": "", "vmCustomParams": []},
    }
    return json.dumps(said | machine)


def _machine(deployed_app: str) -> dict[str, object]:
    """What discovery keeps of a static VM; nothing for all else."""
    try:
        said = json.loads(deployed_app or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) and set(said) == {"vmdetails"} else {}


def _reservation(one: Sandbox | None) -> dict[str, object] | None:
    if one is None:
        return None
    return {
        "$class": "ReservationContextDetails",
        "reservation_id": one.id,
        "environment_name": one.blueprint.rpartition("/")[2] or one.name,
        "environment_path": one.blueprint,
        "domain": one.domain,
        "description": one.description,
        "owner_user": one.owner,
        "owner_email": one.owner_email,
        "saved_sandbox_name": "",
        "saved_sandbox_id": "",
        "running_user": one.owner,
        "cloud_info_access_key": "",
    }
