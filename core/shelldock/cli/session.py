"""A host for one command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from shelldock.cli.importing import undisturbed
from shelldock.cli.options import General
from shelldock.errors import SettingsError
from shelldock.paths import Paths
from shelldock.settings import Settings, load

if TYPE_CHECKING:
    from shelldock.host import AsyncHost


def paths() -> Paths:
    """The places on disk."""
    return Paths.default(os.environ)


def settings(context: typer.Context) -> Settings:
    """The settings, from the file of ``--settings`` where that is given: then it must be there."""
    return load(settings_file(context), os.environ)


def settings_file(context: typer.Context) -> Path:
    """The settings file; it need not exist, unless ``--settings`` names it."""
    file = general(context).settings
    if file and not file.exists():
        raise SettingsError(f"there is no settings file {str(file)!r}")
    return file or paths().settings


def general(context: typer.Context) -> General:
    """What was given before the command."""
    found = context.find_object(General)
    return found if found is not None else General()


@contextmanager
def state(context: typer.Context) -> Iterator[AsyncHost]:
    """A host that is not opened, for what needs no driver: shells, resources, environments."""
    host = _host()(settings(context), paths=paths())
    with closing(host.store):
        yield host


@contextmanager
def stored_host(
    context: typer.Context,
    plugins: Sequence[object],
    python: str | None,
    variables: Mapping[str, str] | None = None,
    debug: str = "",
) -> Iterator[AsyncHost]:
    """A host on the stored inventory; to be opened by who asks."""
    host = _host()(
        settings(context),
        paths=paths(),
        plugins=plugins,
        python=_python(python),
        variables=variables,
        debug=debug,
    )
    with closing(host.store):
        yield host


@contextmanager
def passing_host(
    context: typer.Context,
    plugins: Sequence[object],
    python: str | None,
    variables: Mapping[str, str] | None = None,
    debug: str = "",
) -> Iterator[AsyncHost]:
    """A host that keeps nothing but environments and logs; to be opened by who asks."""
    with undisturbed():  # as in _host
        from shelldock.store import Store
        from shelldock.vault import Vault

    store = Store.memory()
    with closing(store):
        yield _host()(
            settings(context),
            paths=paths(),
            plugins=plugins,
            python=_python(python),
            variables=variables,
            store=store,
            vault=Vault.ephemeral(),
            debug=debug,
        )


def _host() -> type[AsyncHost]:
    """The host and all below it, which takes a quarter of a second: no help and no client of a server needs it."""
    with undisturbed():
        from shelldock.host import AsyncHost

    return AsyncHost


def _python(given: str | None) -> str | None:
    """Paths become absolute: the host may look from another folder."""
    return str(Path(given).absolute()) if given and os.sep in given else given
