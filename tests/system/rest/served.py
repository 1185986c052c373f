"""What schemathesis does not know of the server: a token that stays good, and names that are there.

Schemathesis loads this module in a process of its own (``SCHEMATHESIS_HOOKS``).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from schemathesis import AuthContext, Case, HookContext

from shelldock.paths import Paths
from shelldock.remote import ServerLogin, hosts

ROLE = os.environ["SERVED_ROLE"]
PASSWORD = "12345678"


@schemathesis.auth()
class Token:
    """Asked again where a request is refused as nobody's: users are changed and removed while their token is in use."""

    def __init__(self) -> None:
        self._token = ""

    def get(self, case: Case[Any], context: AuthContext) -> str:
        (host,) = hosts(Paths.below(Path(os.environ["SERVED_HOME"])))
        local = host.ask(ServerLogin, "server_login")
        if ROLE == "admin":
            return local.token
        if not self._token or not _is_good(local.url, self._token):
            self._token = _token(local)  # two passwords are hashed for it
        return self._token

    def set(self, case: Case[Any], data: str, context: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


def _is_good(url: str, token: str) -> bool:
    shown = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/api/me", headers=shown, timeout=60).is_success


def _token(admin: ServerLogin) -> str:
    """For a user of the role, who is there from now on if not before."""
    user = {"name": ROLE, "password": PASSWORD, "role": ROLE}
    shown = {"Authorization": f"Bearer {admin.token}"}
    with httpx.Client(base_url=f"{admin.url}/api/", headers=shown, timeout=60) as client:
        if client.post("users", json=user).is_error:
            facts = {"password": PASSWORD, "role": ROLE, "active": True}
            client.patch(f"users/{ROLE}", json=facts).raise_for_status()
        answer = client.post("login", json={"user": ROLE, "password": PASSWORD})
        return str(answer.raise_for_status().json()["token"])


@schemathesis.hook
def map_body(context: HookContext, body: Any) -> Any:
    """Let every other command be one of a resource that is there, so that there are executions and instances."""
    assert context.operation is not None
    if context.operation.path == "/api/executions" and isinstance(body, dict) and len(body) % 2:
        return body | {"target": "sw1", "command": "work", "inputs": {}, "wait": 1, "sandbox": ""}
    return body
