"""``shelldock execute``: one command of a resource of the inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

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
from shelldock.cli.sandboxes import meant
from shelldock.cli.servers import available, refuse
from shelldock.cli.session import general, stored_host
from shelldock.cli.working import Work, complete, report
from shelldock.inputs import DISCOVERY
from shelldock.inputs import Inputs as Given
from shelldock.model import Execution, Sandbox, Target

if TYPE_CHECKING:
    from shelldock.client import Client

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

    A server has it done, where one is named or runs here; else a driver is started and initialized for it, and
    stopped afterwards. What the command returns goes to standard output, everything else to standard error.
    Ctrl-C cancels the command; a second one leaves it to the server, or terminates the driver.
    """
    asked = Asked(target, command, given(inputs, value), sandbox, port or (), timeout)
    with available(context) as client:
        if client is not None:
            refuse({"--python": python, "--debug": debug, "--env": env})
            execution = _there(client, asked)
        else:
            execution = _here(context, asked, python=python, debug=debug, env=pairs(env))
    report(execution, as_json=json, verbose=general(context).verbose)


class Asked(NamedTuple):
    """What the command line says, wherever it is done."""

    target: str
    command: str
    inputs: Given
    sandbox: str
    ports: Sequence[str]
    limit: float | None


def _there(client: Client, asked: Asked) -> Execution:
    from shelldock.cli.following import Follower

    sandbox = meant(client, asked.sandbox) if asked.sandbox else ""
    return Follower(client, Progress()).follow(
        lambda: client.submit(
            asked.target,
            asked.command,
            asked.inputs,
            sandbox=sandbox,
            ports=asked.ports,
            limit=asked.limit,
        )
    )


def _here(
    context: typer.Context,
    asked: Asked,
    *,
    python: str | None,
    debug: str,
    env: Mapping[str, str],
) -> Execution:
    progress = Progress()
    if debug:
        progress.say(f"the driver waits for a debugger on {debug}, as soon as it has started")
    with stored_host(context, [progress], python, env, debug) as host:
        resource = host.inventory.resource(host.inventory.resource(asked.target).root)
        if asked.command != DISCOVERY:
            host.inventory.refuse_excluded(asked.target)  # the host sees the root alone
        sandbox = Sandbox(id=asked.sandbox, name=asked.sandbox) if asked.sandbox else None
        work = Work(
            target=Target(resource=resource, sandbox=sandbox),
            command=asked.command,
            inputs=asked.inputs,
            ports=asked.ports,
            limit=asked.limit,
        )
        return complete(host, work, progress)
