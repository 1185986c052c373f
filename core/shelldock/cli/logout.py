"""``shelldock logout``: the end of a token."""

from __future__ import annotations

from typing import Annotated

import typer

from shelldock.cli.options import AsJson
from shelldock.cli.screen import note, show
from shelldock.cli.session import paths
from shelldock.errors import LoginError, NotFoundError, UnreachableError
from shelldock.logins import Logins

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def logout(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="By default that of the last login.", show_default=False
        ),
    ] = "",
    *,
    json: AsJson = False,
) -> None:
    """Log out at a server.

    The token is revoked there, and forgotten here; forgotten also where the server cannot be reached.
    """
    from shelldock.client import Client  # httpx takes a tenth of a second

    logins = Logins(paths().logins)
    url = url or logins.current
    saved = logins.get(url)
    if saved is None:
        raise NotFoundError("login at", url or "any server", hint="see 'shelldock login'")
    revoked = True
    try:
        with Client(url, saved.token, saved.certificate) as client:
            client.logout()
    except LoginError:
        pass  # it was revoked or has expired before
    except UnreachableError as error:
        revoked = False
        note(f"{error}; its token is forgotten here, but not revoked")
    logins.forget(url)
    show({"server": url, "revoked": revoked}, None, as_json=json)
    if not json:
        note(f"logged out at {url}")
