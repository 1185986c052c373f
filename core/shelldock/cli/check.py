"""``shelldock shell check``: what is wrong with a shell."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, get_args

import typer

from shelldock.cli.failures import FOUND
from shelldock.cli.options import AsJson, alone
from shelldock.cli.screen import note, show
from shelldock.cli.session import general, state
from shelldock.model import Finding, Severity


def check(
    context: typer.Context,
    shell: Annotated[
        str,
        typer.Argument(
            metavar="PATH-or-SHELL",
            help="Folder or package of a shell, or the name of an installed one.",
        ),
    ],
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Let warnings decide the exit code, too.")
    ] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="Leave out what this rule finds. Repeatable."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Check a shell: what is wrong with it, or will be, with file and line."""
    alone(general(context), "shell check")
    with state(context) as host:
        found = [one for one in asyncio.run(host.check(shell)) if one.rule not in (ignore or ())]
    if json:
        show(found, None, as_json=True)
    else:
        for one in found:
            print(_line(one))
        note(_summary(found))
    counted = ("error", "warning") if strict else ("error",)
    if any(one.severity in counted for one in found):
        raise typer.Exit(FOUND)


def _line(finding: Finding) -> str:
    """As compilers write it, so that editors find the place."""
    path = finding.path
    with suppress(ValueError):
        path = path.relative_to(Path.cwd())
    place = [str(path), *(str(one) for one in (finding.line, finding.column) if one)]
    return f"{':'.join(place)}: {finding.severity} {finding.rule}: {finding.message}"


def _summary(found: Sequence[Finding]) -> str:
    counts = Counter(one.severity for one in found)
    said = [
        f"{counts[one]} {one}{'s' if counts[one] > 1 else ''}"
        for one in get_args(Severity)
        if counts[one]
    ]
    return ", ".join(said) or "nothing found"
