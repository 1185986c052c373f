# mypy: ignore-errors
"""Connects ports and looks at what came of it, as programs that set up a lab do."""

import json
import sys

from cloudshell.api.cloudshell_api import CloudShellAPISession
from cloudshell.api.common_cloudshell_api import CloudShellAPIError

address, token = sys.argv[1:]
session = CloudShellAPISession(address, token_id=token, domain="Global")
port = "sw1/Chassis 1/P1"


def connections():
    return [[one.FullPath, one.Weight] for one in session.GetResourceDetails(port).Connections]


def refusal(call, *arguments):
    try:
        call(*arguments)
    except CloudShellAPIError as error:
        return error.code
    raise AssertionError("not refused")


seen = {"folder": session.GetResourceDetails(port).FolderFullPath}
session.UpdatePhysicalConnection("Lab 1/Rack 3/" + port, "sw2")
seen["connected"] = connections()
seen["found"] = session.GetResourceDetails(seen["connected"][0][0]).Name
seen["refused"] = refusal(session.UpdatePhysicalConnection, port, "sw3", False)
session.UpdatePhysicalConnection("sw3", port, True)
session.UpdateConnectionWeight(port, "sw3", 4)
seen["replaced"] = connections()
seen["not connected"] = refusal(session.UpdateConnectionWeight, port, "sw2", 4)
session.UpdatePhysicalConnection(port, "")
seen["free"] = connections()
print(json.dumps(seen))
