# mypy: ignore-errors
"""Calls with a session that the host does not know, and prints the requests that this took."""

import json
import sys

from cloudshell.api.cloudshell_api import CloudShellAPISession
from cloudshell.api.common_cloudshell_api import CommonAPISession

address, token = sys.argv[1:]
session = CloudShellAPISession(address, token_id=token, domain="Global")
session.authentication._xmlrpc_token = "0" * 64
requests = []
send = CommonAPISession._sendRequest


def listen(self, operation, *rest, **more):
    requests.append(operation)
    return send(self, operation, *rest, **more)


CommonAPISession._sendRequest = listen
name = session.GetResourceDetails("sw1").Name
print(json.dumps({"name": name, "requests": requests}))
