# mypy: ignore-errors
"""Looks up a shell's version as shell-core does for the head of its log."""

import json
import sys
from types import SimpleNamespace

from cloudshell.rest.api import PackagingRestApiClient
from cloudshell.shell.core.utils.execution_info import get_execution_info

address, token = sys.argv[1:]
try:
    PackagingRestApiClient(address, token).get_shell_as_model("My Switch")
    raised = ""
except Exception as error:
    raised = type(error).__name__
context = SimpleNamespace(
    connectivity=SimpleNamespace(
        server_address=address, admin_auth_token=token, cloudshell_version="2024.1"
    ),
    resource=SimpleNamespace(model="My Switch"),
)
info = get_execution_info(context)
print(json.dumps({"raised": raised, "logged": "Hostname" in info["INFO"]}))
