"""Servers in processes of their own: ``shelldock serve`` on a store of many resources, and a Kernel Gateway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.environments import MissingError, last_line
from benchmarks.peers.shape import free_port
from shelldock.catalog import Catalog
from shelldock.inventory import build
from shelldock.paths import Paths
from shelldock.plugins import Plugins
from shelldock.settings import Settings
from shelldock.store import Store
from shelldock.users import Users
from shelldock.vault import Vault

PATIENCE = 60
"""Seconds for a server to answer at all, and to end."""
LOOK = 0.002
"""Seconds between two looks."""
NOTEBOOK = """
import json, sys
sys.path.insert(0, {source!r})
from driver import BenchmarkDriver
driver = BenchmarkDriver()
driver.initialize(None)
"""
CELL = """\
# GET /echo
print(driver.echo(None, json.loads(REQUEST)["args"]["text"][0]), end="")
"""


def furnish(home: Path, shell: Path, resources: int) -> str:
    """Have a store with so many resources of a shell, ``device 0`` and so on; an administrator's token."""
    paths = Paths.below(home)
    plugins = Plugins(Settings())
    added = Catalog(paths.shells, plugins.read_shell, plugins.shells()).add(shell)
    vault = Vault.load(paths.key)
    with closing(Store(f"sqlite:///{paths.store}")) as store:
        with store.change() as change:
            change.put(
                *(build(f"device {number}", added, vault=vault) for number in range(resources))
            )
        users = Users(store)
        users.add("benchmark", os.urandom(16).hex(), "admin")
        return users.issue("benchmark")[1]


@contextmanager
def shelldock(home: Path) -> Iterator[str]:
    """The URL of a server on what is in ``home``, which answers."""
    port = free_port()
    command = [sys.executable, "-m", "shelldock", "serve", "--port", str(port)]
    environ = {"SHELLDOCK_HOME": str(home), "SHELLDOCK_PLUGINS__API__PORT": "0"}
    url = f"http://127.0.0.1:{port}/api"
    with _answering(command, environ, f"{url}/health", home / "log"):
        yield url


@contextmanager
def gateway(python: Path, shell: Path, room: Path) -> Iterator[str]:
    """The URL at which a kernel with the driver answers; a notebook says how. Raises ``MissingError``."""
    notebook = room / "echo.ipynb"
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": one}
        for one in (NOTEBOOK.format(source=str(shell / "src")), CELL)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    content = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    notebook.write_text(json.dumps(content))
    port = free_port()
    options = {
        "api": "kernel_gateway.notebook_http",
        "seed_uri": str(notebook),
        "port": port,
        "port_retries": 0,
    }
    command = [
        str(python),
        "-m",
        "kernel_gateway",
        *(f"--KernelGatewayApp.{name}={value}" for name, value in options.items()),
    ]
    url = f"http://127.0.0.1:{port}/echo"
    with _answering(command, {}, f"{url}?text=ready", room / "log"):
        yield url


@contextmanager
def _answering(
    command: Sequence[str], environ: Mapping[str, str], url: str, log: Path
) -> Iterator[None]:
    with (
        log.open("ab") as said,
        subprocess.Popen(command, env=os.environ | environ, stdout=said, stderr=said) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE
            while not _answers(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise MissingError(f"it does not answer: {last_line(log.read_text())}")
                time.sleep(LOOK)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=PATIENCE).close()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True
