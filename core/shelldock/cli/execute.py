"""``shelldock execute``: one command of a resource of the inventory."""

from __future__ import annotations

from typing import Annotated

import typer

from shelldock.cli.options import (
    AsJson,
    Debug,
    Inputs,
    InSandbox,
    Ports,
    Python,
    Timeout,
    Values,
    Variables,
    given,
    pairs,
)
from shelldock.cli.progress import Progress
from shelldock.cli.session import general, stored_host
from shelldock.cli.working import Work, complete, report
from shelldock.inputs import DISCOVERY
from shelldock.model import Sandbox, Target

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def execute(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            help="Name of a resource; that of a sub-resource means its root.", metavar="TARGET"
        ),
    ],
    command: Annotated[
        str, typer.Argument(metavar="COMMAND", help="Name of the command: the driver's method.")
    ],
    inputs: Inputs = None,
    *,
    value: Values = None,
    sandbox: InSandbox = "",
    port: Ports = None,
    timeout: Timeout = None,
    python: Python = None,
    debug: Debug = "",
    env: Variables = None,
    json: AsJson = False,
) -> None:
    """Run one command of a resource of the inventory.

    A driver is started and initialized for it, and stopped afterwards. What the command returns
    goes to standard output, everything else to standard error. Ctrl-C cancels the command; a second
    one terminates the driver.
    """
    progress = Progress()
    if debug:
        progress.say(f"the driver waits for a debugger on {debug}, as soon as it has started")
    with stored_host(context, [progress], python, pairs(env), debug) as host:
        resource = host.inventory.resource(host.inventory.resource(target).root)
        if command != DISCOVERY:
            host.inventory.refuse_excluded(target)  # the host sees the root alone
        work = Work(
            target=Target(
                resource=resource, sandbox=Sandbox(id=sandbox, name=sandbox) if sandbox else None
            ),
            command=command,
            inputs=given(inputs, value),
            ports=port or (),
            limit=timeout,
        )
        execution = complete(host, work, progress)
    report(execution, as_json=json, verbose=general(context).verbose)
