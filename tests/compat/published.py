"""The published, unmodified client packages, and environments that hold one of them and nothing of ours."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from uv import find_uv_bin

from shelldock_cloudshell.interpreters import find

SCRIPTS = Path(__file__).parent / "clients"
CLIENTS = [
    ("cloudshell-automation-api==2026.2.0.190144", "3.13"),
    ("cloudshell-automation-api==2026.2.0.190144", "3.12"),
    ("cloudshell-automation-api==2024.1.0.189077", "3.9"),
    ("cloudshell-automation-api==9.3.0.177156", "3.9"),
    ("cloudshell-automation-api==8.3.0.168355", "3.9"),
]
CORES = [
    ("cloudshell-shell-core==6.0.3", "3.11"),
    ("cloudshell-shell-core==5.1.1", "3.9"),
]


def present(clients: list[tuple[str, str]]) -> list[object]:
    """A parameter for each client whose interpreter this machine has."""
    here = {one.minor: str(one.path) for one in reversed(find(os.environ))}
    return [
        pytest.param(needs, here[version], id=f"a5-{needs.partition('==')[2]}-py{version}")
        for needs, version in clients
        if version in here
    ]


def environment(needs: str, python: str) -> Path:
    """The interpreter of an environment that holds ``needs`` and nothing of ours; made once, kept in the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "shelldock-tests"
    cache.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(
        [python, "-c", "import platform; print(platform.python_version())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    folder = cache / f"{needs.replace('==', '-')}-py{version}"
    uv = find_uv_bin()
    with FileLock(f"{folder}.lock"):
        if not (folder / "complete").exists():
            subprocess.run([uv, "venv", "-q", "--clear", "-p", python, folder], check=True)
            inside = folder / "bin" / "python"
            subprocess.run([uv, "pip", "install", "-q", "-p", inside, needs], check=True)
            (folder / "complete").touch()
    return folder / "bin" / "python"


async def talk(python: Path, script: str, *arguments: str) -> dict[str, Any]:
    """What ``script`` prints as JSON, run by a client's interpreter."""
    process = await asyncio.create_subprocess_exec(
        python,
        "-I",
        SCRIPTS / script,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    seen: dict[str, Any] = json.loads(out.splitlines()[-1])
    return seen
