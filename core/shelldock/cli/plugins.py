"""``shelldock plugins``: who answers what."""

from __future__ import annotations

import json as json_text

import typer

from shelldock.cli.options import AsJson
from shelldock.cli.screen import show, table
from shelldock.cli.servers import named
from shelldock.cli.session import settings
from shelldock.plugins import Plugin, Plugins

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def plugins(context: typer.Context, *, json: AsJson = False) -> None:
    """List the plugins, what they answer, and what is wrong with them.

    Those of a server only where one is named: the one that runs here is installed as this command line is.
    """
    with named(context) as client:
        found = client.plugins() if client is not None else Plugins(settings(context)).all()
    rows = [(one.name, f"{one.distribution} {one.version}".strip(), _said(one)) for one in found]
    show(found, table(("Plugin", "From", "Answers"), rows, "no plugins"), as_json=json)


def _said(plugin: Plugin) -> str:
    if plugin.reason:
        return f"not used: {plugin.reason}"
    hooks = [hook.removeprefix("shelldock_") for hook in plugin.hooks]
    lines = [", ".join(hooks) or "nothing"]
    lines += [
        f"{name} = {json_text.dumps(value, default=str)}" for name, value in plugin.settings.items()
    ]
    return "\n".join(lines)
