# mypy: ignore-errors
"""Calls with a session that the host does not know, with a client that cannot log on again."""

import json
import sys

from cloudshell.api.cloudshell_api import CloudShellAPISession

address, token = sys.argv[1:]
session = CloudShellAPISession(address, None, None, token_id=token, domain="Global")
session.token_id = "0" * 64
try:
    session.GetResourceDetails("sw1")
except Exception as error:
    print(json.dumps({"words": str(error)}))
