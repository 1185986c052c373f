"""The settings of environments that are made with uv, and the hooks that have them made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from shelldock.hookspecs import hookimpl
from shelldock.model import Interpreter, Needs, Shell

PREFERENCE: Final = ("3.11", "3.10", "3.9", "3.12", "3.8", "3.13", "3.14", "3.7")
"""For "any Python 3". Most of the published drivers work on 3.11; from 3.12 on some miss what Python dropped."""

_PYTHON: Final = "plugins.environment.python"

IndexStrategy = Literal["first-index", "unsafe-first-match", "unsafe-best-match"]


class Repairs(msgspec.Struct, frozen=True, kw_only=True):
    """What makes requirements resolve that no longer do as they are written."""

    python: str = ""
    """Version or path of the interpreter, as if the user had asked for it."""
    exclude_newer: str = ""
    """Date (``2023-01-31``): the index as it was then. Tools that build distributions are exempt."""
    extra_packages: tuple[str, ...] = ()
    """Requirements that the shells forgot, such as ``setuptools<81``."""
    constraints: tuple[str, ...] = ()
    """Requirements that hold for whatever is installed."""
    overrides: tuple[str, ...] = ()
    """Requirements that hold in place of what distributions ask for."""
    build_constraints: tuple[str, ...] = ()
    """Requirements that hold for the tools that build distributions."""


class Environment(Repairs, frozen=True, kw_only=True):
    """Makes environments with uv; its fields are the settings ``[plugins.environment]``.

    Besides, uv's own settings count: its file ``uv.toml`` and the variables ``UV_…``, and ``HTTPS_PROXY``.
    """

    uv: str = ""
    """Path of uv; empty: the one that was installed with Shelldock."""
    index_url: str = ""
    """The index, where the requirements file names none; empty: uv's."""
    extra_index_urls: tuple[str, ...] = ()
    """Indexes that are asked before that one."""
    find_links: tuple[str, ...] = ()
    """Folders or pages with distributions."""
    no_index: bool = False
    """Take distributions from ``find_links`` alone."""
    trusted_hosts: tuple[str, ...] = ()
    """Hosts whose certificates are not looked at."""
    index_strategy: IndexStrategy = "first-index"
    """Whether other indexes are asked for versions that the first one with the package does not have."""
    offline: bool = False
    """Take everything from uv's cache."""
    python_preference: tuple[str, ...] = PREFERENCE
    """Versions, best first, where a shell asks for Python 3."""
    shells: dict[str, Repairs] = {}
    """Repairs for single shells, by name, in addition."""

    @hookimpl(trylast=True)
    def shelldock_python(self, shell: Shell, asked: str | None) -> Interpreter | None:
        """What the user, the settings or the metadata ask for, in this order (checklist D9)."""
        from shelldock_cloudshell.interpreters import choose, find  # only who makes one needs it

        set_here = self.shells.get(shell.name, Repairs()).python
        setting = f"plugins.environment.shells.{shell.name!r}.python" if set_here else _PYTHON
        wanted = asked or set_here or self.python or None
        who = "it was asked for" if asked else f"the setting {setting} asks for Python {wanted}"
        return choose(shell, wanted, find(os.environ), self.python_preference, who)

    @hookimpl(trylast=True)
    def shelldock_needs(self, shell: Shell, python: Interpreter) -> Needs | None:
        """Resolve ``requirements.txt``, or the lines that the shell has in its place."""
        from shelldock_cloudshell.making import resolve

        return resolve(self, shell, shell.driver, python) if shell.driver else None

    @hookimpl(trylast=True)
    def shelldock_build(self, needs: Needs, folder: Path, log: Path) -> Path | None:
        """Install exactly the pins, from the cache where all are there."""
        from shelldock_cloudshell.making import build

        return build(self, needs, folder, log)

    def repairs(self, shell: Shell) -> Repairs:
        """What is set for all shells and for this one, and the tools that it asks for."""
        own = self.shells.get(shell.name, Repairs())
        tools = shell.driver.tools if shell.driver else ()
        return replace(
            own,
            exclude_newer=own.exclude_newer or self.exclude_newer,
            extra_packages=self.extra_packages + own.extra_packages + tools,
            constraints=self.constraints + own.constraints,
            overrides=self.overrides + own.overrides,
            build_constraints=self.build_constraints + own.build_constraints,
        )
