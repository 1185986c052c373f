"""The file that makes a folder an environment."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from pathlib import Path
from typing import Final

import msgspec

from shelldock.model import Driver, Environment, Needs, Value

FILE: Final = "shelldock.json"

log = logging.getLogger(__name__)


class Manifest(Value, frozen=True, kw_only=True):
    """What an environment is made from. The time of its last use is the file's time of modification."""

    digest: str
    """Of the needs and of ``shelldriver``: equal digests, equal environments."""
    needs: Needs
    python: str
    """The interpreter, relative to the folder."""
    built: float
    """Unix time."""


def digest_of(needs: Needs, shelldriver: str) -> str:
    """The digest that names the environment for these needs, with this ``shelldriver``."""
    return hashlib.sha256(msgspec.json.encode((needs, shelldriver))).hexdigest()


def folder_name(driver: Driver, digest: str = "") -> str:
    """``Driver_Name_1_0_0-1a2b3c4d``; the log library of drivers shows it (checklist V10)."""
    label = re.sub(r"[^\w-]", "_", f"{driver.name}_{driver.version}").lstrip("-")[:100]
    return f"{label}-{digest[:8]}" if digest else label


def write(folder: Path, manifest: Manifest) -> None:
    """Make ``folder`` an environment."""
    (folder / FILE).write_bytes(msgspec.json.encode(manifest))


def read(folder: Path) -> Environment | None:
    """The environment in ``folder``; None where there is none that can be used."""
    found = _read(folder)
    if found is None:
        return None
    manifest, used = found
    python = folder / manifest.python
    if not python.exists():
        log.warning("environment %r is not used: its interpreter %s is gone", folder.name, python)
        return None
    return Environment(
        name=folder.name,
        digest=manifest.digest,
        path=folder,
        python=python,
        version=manifest.needs.version,
        pins=manifest.needs.pins,
        built=manifest.built,
        used=used,
    )


def needs_of(folder: Path) -> Needs | None:
    """What the environment in ``folder`` was made from."""
    found = _read(folder)
    return found[0].needs if found else None


def touch(environment: Environment) -> bool:
    """Note that it is used now; False where it is gone."""
    try:
        os.utime(environment.path / FILE)
    except FileNotFoundError:
        return False
    return True


def _read(folder: Path) -> tuple[Manifest, float] | None:
    try:
        with (folder / FILE).open("rb") as file:
            return msgspec.json.decode(file.read(), type=Manifest), os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning(
            "environment %r is not used: its manifest cannot be read: %s", folder.name, error
        )
        return None
