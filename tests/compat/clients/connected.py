# mypy: ignore-errors
"""Has connected commands run, as a setup script does that switches devices on, and prints what came of it."""

import json
import sys

from cloudshell.api.cloudshell_api import CloudShellAPISession
from cloudshell.api.common_cloudshell_api import CloudShellAPIError

address, token = sys.argv[1:]
session = CloudShellAPISession(address, token_id=token, domain="Global")


def run(resource, command, tag, values=(), ports=()):
    done = session.ExecuteResourceConnectedCommand(
        "", resource, command, tag, list(values), list(ports), False
    )
    return done.Output.split("\n")


def refusal(*arguments):
    try:
        run(*arguments)
    except CloudShellAPIError as error:
        return [error.code, error.message]
    raise AssertionError("not refused")


seen = {
    "all": run("Lab/server", "PowerCycle", "power", ["7"]),
    "without a tag": run("server", "PowerCycle", "", ["7"]),
    "one": run("server", "PowerCycle", "power", ports=["Lab/server/S2"]),
    "by group": run("server/S2", "remote_refresh_ip", "connectivity"),
    "refused": [
        refusal("loose", "PowerCycle", "power"),
        refusal("server", "PowerCycle", "remote_connectivity"),
        refusal("server", "where", ""),
        refusal("Z", "PowerCycle", "power"),
    ],
}
session.AutoLoad("Lab/loose")
seen["discovered by its path"] = [
    one.Name for one in session.GetResourceDetails("loose").ChildResources
]
print(json.dumps(seen))
