"""``shelldock run``: one command of a shell, once, without an inventory."""

from __future__ import annotations

from typing import Annotated

import typer

from shelldock.cli.options import (
    Address,
    AsJson,
    Attributes,
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
from shelldock.cli.session import general, passing_host
from shelldock.cli.working import Work, complete, report
from shelldock.model import Sandbox

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def run(
    context: typer.Context,
    shell: Annotated[
        str,
        typer.Argument(
            metavar="PATH-or-SHELL",
            help="Folder or package of the shell, or the name of an installed one.",
        ),
    ],
    command: Annotated[
        str, typer.Argument(metavar="COMMAND", help="Name of the command: the driver's method.")
    ],
    inputs: Inputs = None,
    *,
    value: Values = None,
    address: Address = "",
    attribute: Attributes = None,
    name: Annotated[
        str, typer.Option(help="Name of the resource; by default the shell's.", show_default=False)
    ] = "",
    sandbox: InSandbox = "",
    port: Ports = None,
    timeout: Timeout = None,
    python: Python = None,
    debug: Debug = "",
    env: Variables = None,
    json: AsJson = False,
) -> None:
    """Run one command of a shell, once, without keeping anything.

    The environment is built if it is not there, the driver is started and initialized, runs the
    command and is stopped. What it returns goes to standard output, everything else to standard
    error. Ctrl-C cancels the command; a second one terminates the driver.
    """
    progress = Progress()
    if debug:
        progress.say(f"the driver waits for a debugger on {debug}, as soon as it has started")
    with passing_host(context, [progress], python, pairs(env), debug) as host:
        work = Work(
            target=host.target(
                shell,
                name,
                address=address,
                attributes=pairs(attribute),
                sandbox=Sandbox(id=sandbox, name=sandbox) if sandbox else None,
            ),
            command=command,
            inputs=given(inputs, value),
            ports=port or (),
            limit=timeout,
        )
        execution = complete(host, work, progress)
    report(execution, as_json=json, verbose=general(context).verbose)
