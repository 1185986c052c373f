"""``shelldock login``: a token of a server, kept for the command line."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Annotated

import typer

from shelldock.cli.asking import question
from shelldock.cli.options import AsJson
from shelldock.cli.screen import note, show
from shelldock.cli.session import paths
from shelldock.errors import InputError
from shelldock.logins import Login, Logins

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def login(
    url: Annotated[str, typer.Argument(metavar="URL", help="Such as https://lab.example:8160.")],
    *,
    user: Annotated[
        str, typer.Option(metavar="NAME", help="Who logs in.", show_default=False)
    ] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    token_stdin: Annotated[
        bool,
        typer.Option(
            "--token-stdin", help="Read a token from standard input, in place of user and password."
        ),
    ] = False,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Trust this certificate (PEM); by default those that the system trusts.",
            show_default=False,
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Log in at a server, and ask it from now on."""
    from shelldock.client import Client  # httpx takes a tenth of a second

    trusted = str(certificate.absolute()) if certificate else ""
    if token_stdin:
        secret = sys.stdin.readline().strip()
        with Client(url, secret, trusted) as client:
            who = client.me()
    else:
        user = user or _asked("user", "--user")
        password = (
            sys.stdin.readline().rstrip("\r\n")
            if password_stdin
            else _asked("password", "--password-stdin", secret=True)
        )
        with Client(url, certificate=trusted) as client:
            given = client.login(user, password, name=f"shelldock login on {platform.node()}")
        secret, who = given.token, given.user
    Logins(paths().logins).save(url, Login(token=secret, user=who.name, certificate=trusted))
    show({"server": url, "user": who}, None, as_json=json)
    if not json:
        note(f"logged in at {url} as {who.name!r}, role {who.role}")


def _asked(what: str, option: str, *, secret: bool = False) -> str:
    if not sys.stdin.isatty():
        raise InputError(f"nobody can enter the {what} here; give it with {option}")
    return question(what.capitalize(), secret=secret)
