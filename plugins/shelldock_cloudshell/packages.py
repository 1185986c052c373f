"""Reading shells: the default answer, for packages, project folders and driver folders of both generations."""

from __future__ import annotations

import os
from pathlib import Path

from shelldock.hookspecs import hookimpl
from shelldock.model import Shell
from shelldock.paths import Paths


@hookimpl(trylast=True)
def shelldock_read_shell(path: Path) -> Shell | None:
    """Read CloudShell's formats; archives are unpacked once, below the cache."""
    from shelldock_cloudshell.reader import (
        Reader,  # with the formats' parsers, where there is a shell
    )

    return Reader(Paths.default(os.environ).cache / "packages").read(path)
