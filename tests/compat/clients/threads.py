# mypy: ignore-errors
"""Twenty threads use one session at the same time."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from cloudshell.api.cloudshell_api import CloudShellAPISession

address, token = sys.argv[1:]
session = CloudShellAPISession(address, token_id=token, domain="Global")


def once(number):
    session.WriteMessageToReservationOutput("r1", f"message {number}")
    return session.DecryptPassword(f"text {number}").Value == f"text {number}"


with ThreadPoolExecutor(20) as pool:
    right = sum(pool.map(once, range(400)))
print(json.dumps({"right": right}))
