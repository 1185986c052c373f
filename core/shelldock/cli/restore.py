"""``shelldock restore``: what a backup holds, put back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from shelldock.cli.backup import told
from shelldock.cli.options import AsJson
from shelldock.cli.screen import note, show
from shelldock.cli.session import paths, settings_file

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def restore(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="What 'shelldock backup' wrote.", show_default=False),
    ],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    json: AsJson = False,
) -> None:
    """Put back what a backup holds.

    Into the store that the settings name; settings that are there stay. A server must be stopped first.
    """
    from shelldock import backup as backups  # with the store, which help does without

    there = settings_file(context)
    done = backups.restore(file, paths(), there, os.environ, force=force)
    show(done, None, as_json=json)
    if not json:
        note(f"{told(done.backup)} restored into {done.place}")
        if not done.settings and "settings.toml" in done.backup.files:
            note(f"the settings in {there} stay as they are")
