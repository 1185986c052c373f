# mypy: ignore-errors
"""Calls everything that drivers call, and prints what came of it. Runs in a client's own environment."""

import json
import sys

from cloudshell.api.cloudshell_api import (
    AttributeNameValue,
    CloudShellAPISession,
    ResourceAttributesUpdateRequest,
)
from cloudshell.api.common_cloudshell_api import CloudShellAPIError

address, token = sys.argv[1:]
session = CloudShellAPISession(address, token_id=token, domain="Global")


def refusal(call):
    try:
        call()
    except CloudShellAPIError as error:
        return error
    raise AssertionError("not refused")


seen = {}
details = session.GetResourceDetails("sw1")
attributes = {one.Name: one.Value for one in details.ResourceAttributes}
assert details.ResourceModelName == "MySwitch"
assert details.DriverName == "MySwitchDriver"
assert details.VmDetails is None
assert [one.Name for one in details.Domains] == ["Global"]
seen["types"] = [type(details.UniqeIdentifier).__name__, type(details.Excluded).__name__]
seen["clear"] = session.DecryptPassword(attributes["MySwitch.Password"]).Value
seen["plain"] = [session.DecryptPassword(one).Value for one in ("", "never encrypted")]
seen["vendor"] = attributes["CS_Switch.Vendor"]
port = details.ChildResources[0].ChildResources[0]
seen["port"] = [port.Name, port.FullAddress]

session.WriteMessageToReservationOutput("r1", 'h\xe9llo <b>&"x"\n\U0001f600')
session.WriteMessageToReservationOutput("r1", "\x1b[31mred\x00")
session.WriteMessageToReservationOutput("r1", "\uffff\ufffe")

sandbox = session.GetReservationDetails("r1").ReservationDescription
seen["sandbox"] = [
    sandbox.Name,
    [one.Name for one in sandbox.Resources],
    [one.Alias for one in sandbox.Services],
    sandbox.Resources[1].VmDetails.UID,
]

session.SetResourceLiveStatus("sw1", "Online", "two\nlines")
live = session.GetResourceLiveStatus("sw1")
seen["status"] = [live.liveStatusName, live.liveStatusDescription]
session.UpdateResourceAddress("sw1", "10.0.0.2")
session.SetAttributeValue("sw1", "User", "bob")
seen["read back"] = session.GetAttributeValue("sw1", "MySwitch.User").Value
session.SetAttributesValues(
    [
        ResourceAttributesUpdateRequest(
            "sw1",
            [
                AttributeNameValue("MySwitch.Password", "new \u2603"),
                AttributeNameValue("CS_Switch.Vendor", "multi\nline"),
                AttributeNameValue("Sessions", 5),
            ],
        )
    ]
)
session.SetServiceLiveStatus("r1", "my svc", "Online")
session.SetServiceAttributesValues("r1", "my svc", [AttributeNameValue("User", "tim")])

refusals = [
    refusal(lambda: session.GetResourceDetails("nosuch")),
    refusal(lambda: session.SetAttributeValue("sw1", "No Such", "x")),
    refusal(lambda: session.CreateFolder("here/there")),
]
seen["refused"] = [one.code for one in refusals]
seen["words"] = [str(one) for one in refusals]
session.Logoff()
print(json.dumps(seen))
