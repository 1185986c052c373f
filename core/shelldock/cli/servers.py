"""Which server a command line asks: the one that it names, that of the last login, or the one that runs here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import typer

from shelldock.cli.options import LOCAL
from shelldock.cli.screen import note
from shelldock.cli.session import general, paths
from shelldock.errors import InputError, NotFoundError
from shelldock.logins import Logins
from shelldock.remote import ServerLogin, hosts

if TYPE_CHECKING:
    from shelldock.client import Client

SERVER: Final = "SHELLDOCK_SERVER"
"""The variable that names a server; ``--server`` comes before it."""

TOKEN: Final = "SHELLDOCK_TOKEN"
"""The variable with a token for whatever server is asked; it comes before what is saved."""


@contextmanager
def named(context: typer.Context) -> Iterator[Client | None]:
    """The server that is named here, or by the last login."""
    with _client(_named(context)) as client:
        yield client


@contextmanager
def available(context: typer.Context) -> Iterator[Client | None]:
    """The server that is named, or else the one that runs here."""
    with _client(_named(context) or _running(context)) as client:
        yield client


@contextmanager
def required(context: typer.Context) -> Iterator[Client]:
    """The same for what cannot be without a server."""
    with available(context) as client:
        if client is None:
            raise InputError(
                "there is no server: name one with --server, or start one with 'shelldock serve'"
            )
        yield client


def refuse(options: Mapping[str, object]) -> None:
    """Raise ``InputError`` where options are given that a server does not take."""
    for name, value in options.items():
        if value:
            raise InputError(
                f"{name} is for drivers of this command line alone; add '--server local' before the command"
            )


@contextmanager
def _client(login: ServerLogin | None) -> Iterator[Client | None]:
    if login is None:
        yield None
        return
    from shelldock.client import Client  # httpx takes a tenth of a second

    note(f"server: {login.url}")
    with Client(login.url, login.token, login.certificate) as client:
        yield client


def _named(context: typer.Context) -> ServerLogin | None:
    logins = Logins(paths().logins)
    url = (_said(context) or logins.current).rstrip("/")
    if url in ("", LOCAL):
        return None
    saved = logins.get(url)
    token = os.environ.get(TOKEN) or (saved.token if saved else "")
    if token:
        return ServerLogin(url=url, token=token, certificate=saved.certificate if saved else "")
    here = next((one for one in _here() if one.url == url), None)
    return here or ServerLogin(url=url, token="")


def _said(context: typer.Context) -> str:
    return general(context).server or os.environ.get(SERVER, "")


def _running(context: typer.Context) -> ServerLogin | None:
    return None if _said(context) == LOCAL else next(_here(), None)


def _here() -> Iterator[ServerLogin]:
    """The servers of this user that run on this machine."""
    for host in hosts(paths()):
        try:
            yield host.ask(ServerLogin, "server_login")
        except (NotFoundError, OSError):  # a host that is no server, or is gone by now
            continue
