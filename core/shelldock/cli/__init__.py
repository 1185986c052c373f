"""The command line: arguments in, text out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from shelldock.cli.failures import explain
from shelldock.cli.lazy import ASK_A_SERVER, LazyGroup
from shelldock.cli.options import General, alone
from shelldock.logs import configure

__all__ = ["app", "main"]

app = typer.Typer(
    name="shelldock",
    cls=LazyGroup,
    help="Run CloudShell shell drivers without a CloudShell server.",
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # takes as long to import as all of typer

        typer.echo(f"shelldock {version('shelldock')}")
        raise typer.Exit


@app.callback()
def _begin(
    context: typer.Context,
    *,
    settings: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Read the settings from this file."),
    ] = None,
    server: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Ask this server; 'local': none. By default that of 'shelldock login', else the one that runs here.",
            show_default=False,
        ),
    ] = "",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say what happens inside; show traces.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    context.obj = General(settings=settings, verbose=verbose, server=server)
    configure("DEBUG" if verbose else "WARNING")
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
    elif context.invoked_subcommand not in ASK_A_SERVER:
        alone(context.obj, context.invoked_subcommand)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line, by default that of the process.

    :returns: the exit code; their table is in ``shelldock.cli.failures``. Raises nothing.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # drivers return any text
    try:
        return app(given, prog_name="shelldock", standalone_mode=False) or 0
    except (
        Exception,
        KeyboardInterrupt,
        SystemExit,
    ) as error:  # the last place that could say it in one line
        return explain(error, given)
