"""Environments with a driver's requirements and what another way needs, kept for the next run."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

UV = (sys.executable, "-m", "uv")
LIMIT = 900
"""Seconds for an installation; some packages are large."""


class MissingError(Exception):
    """A way cannot be measured here, and why."""


def interpreter(folder: Path, requirements: Path, packages: Sequence[str]) -> Path:
    """The interpreter of an environment below ``folder`` with all this and psutil, which measures memory.

    Raises ``MissingError``.
    """
    wanted = f"{sys.version}\n{requirements.read_text()}\n{packages}"
    environment = folder / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    python, complete = environment / "bin/python", environment / "complete"
    if not complete.exists():
        shutil.rmtree(environment, ignore_errors=True)
        _run(*UV, "venv", "--quiet", "--python", sys.executable, str(environment))
        install = (*UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python))
        _run(*install, "--requirement", str(requirements), *packages, "psutil")
        complete.touch()
    return python


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, timeout=LIMIT, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise MissingError(f"it cannot be installed: {last_line(error.stderr)}") from None
    except subprocess.TimeoutExpired:
        raise MissingError(f"it could not be installed within {LIMIT} s") from None


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing"
