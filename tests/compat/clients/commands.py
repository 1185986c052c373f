# mypy: ignore-errors
"""Has commands run, lists, resets and discovers, as drivers and scripts do, and prints what came of it."""

import json
import sys

from cloudshell.api.cloudshell_api import CloudShellAPISession, InputNameValue
from cloudshell.api.common_cloudshell_api import CloudShellAPIError

address, token = sys.argv[1:]
session = CloudShellAPISession(address, token_id=token, domain="Global")


def refusal(call, *arguments):
    try:
        call(*arguments)
    except CloudShellAPIError as error:
        return [error.code, error.message]
    raise AssertionError("not refused")


def execute(target, command, *inputs, kind="Resource"):
    return session.ExecuteCommand("s1", target, kind, command, list(inputs), True).Output


seen = {}
seen["lines"] = execute("B", "work", InputNameValue("label", '1\n2\t\u2603 <&"'))
seen["number"] = execute("B", "work", InputNameValue("label", 12), InputNameValue("seconds", "0"))
seen["nothing"] = execute("B", "nothing")
seen["service"] = execute("tg", "work", InputNameValue("label", "of a service"), kind="Service")
seen["by position"] = [
    session.ExecuteResourceCommand("s1", "B", "work", ["r", "0"], True).Output,
    session.ExecuteServiceCommand("s1", "tg", "work", ["s"], False).Output,
]
seen["failed"] = refusal(execute, "B", "boom")
seen["refused"] = [
    refusal(execute, "B", "bom"),
    refusal(execute, "Z", "boom"),
    refusal(execute, "B", "work", InputNameValue("lable", "x")),
    refusal(session.ExecuteCommand, "s1", "B", "Thing", "work", [], True),
    refusal(session.ExecuteResourceCommand, "s1", "B", "work", ["1", "2", "3"], True),
    refusal(session.ExecuteCommand, "no sandbox", "B", "Resource", "work", [], True),
]
seen["ids"] = [
    session.EnqueueCommand("s1", "B", "Resource", "work", [InputNameValue("label", "q")], True).Id,
    session.EnqueueResourceCommand("s1", "B", "work", ["r", "0"], False).Id,
    session.EnqueueServiceCommand("s1", "tg", "work", ["s", "0"], False).Id,
]

execute("B", "nothing")  # one at a time: what was enqueued has ended
endless = session.EnqueueCommand("s1", "B", "Resource", "endless", [], False).Id
if hasattr(session, "CancelResourceCommand"):  # since 2026
    session.CancelResourceCommand(endless)
    seen["cancelled"] = endless

commands = {one.Name: one for one in session.GetResourceCommands("B").Commands}
inputs = commands["work"].Parameters
seen["commands"] = sorted(commands)
seen["told"] = [
    commands["work"].DisplayName,
    commands["work"].Description,
    commands["work"].Tag,
    [
        [one.Name, one.Type, one.Mandatory, one.DefaultValue, one.EnumValues, one.Description]
        for one in inputs
    ],
]
of_service = [session.GetServiceCommands(name).Commands for name in ("tg", "Line")]
seen["of a service"] = [sorted(one.Name for one in found) for found in of_service]

seen["reset"] = session.ResetResourceDriver("s1", "B").Output
session.AutoLoad("D")
seen["discovered"] = [one.Name for one in session.GetResourceDetails("D").ChildResources]
seen["not discovered"] = [refusal(session.AutoLoad, name) for name in ("B", "passive", "D bad")]
session.Logoff()
print(json.dumps(seen))
