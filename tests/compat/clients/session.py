# mypy: ignore-errors
"""Does what a driver does: the session helper of shell-core, with a context whose port is wrong."""

import json
import sys

from cloudshell.shell.core.driver_context import (
    ConnectivityContext,
    ReservationContextDetails,
    ResourceCommandContext,
    ResourceContextDetails,
)
from cloudshell.shell.core.session.cloudshell_session import CloudShellSessionContext


def blank(kind, **facts):
    made = kind.__new__(kind)
    vars(made).update(facts)
    return made


address, token = sys.argv[1:]
context = blank(
    ResourceCommandContext,
    connectivity=blank(
        ConnectivityContext,
        server_address=address,
        cloudshell_api_port="1",
        quali_api_port="1",
        admin_auth_token=token,
        cloudshell_version="2024.1",
        cloudshell_api_scheme="http",
        use_webapi_endpoint="False",
    ),
    resource=blank(ResourceContextDetails, name="sw1"),
    reservation=blank(ReservationContextDetails, reservation_id="r1", domain="Global"),
)
with CloudShellSessionContext(context) as api:
    encrypted = [
        one.Value
        for one in api.GetResourceDetails("sw1").ResourceAttributes
        if one.Type == "Password"
    ]
    clear = api.DecryptPassword(encrypted[0]).Value
    api.WriteMessageToReservationOutput(context.reservation.reservation_id, "from a driver")
print(json.dumps({"clear": clear, "domain": api.domain}))
