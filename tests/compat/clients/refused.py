# mypy: ignore-errors
"""Tries to log on with a password and with a wrong token, and prints what it hears."""

import json
import sys

from cloudshell.api.cloudshell_api import CloudShellAPISession
from cloudshell.api.common_cloudshell_api import CloudShellAPIError

words = []
for credentials in ({"username": "admin", "password": "admin"}, {"token_id": "wrong"}):
    try:
        CloudShellAPISession(
            sys.argv[1], domain="Global", **{"username": None, "password": None, **credentials}
        )
    except CloudShellAPIError as error:
        words.append(error.message)
print(json.dumps({"words": words}))
