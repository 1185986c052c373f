"""More and more clients at the server, beside the same driver through Python and a Jupyter Kernel Gateway."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec

from benchmarks.environments import MissingError, interpreter
from benchmarks.load import Wanted
from benchmarks.plan import ROOT, SHELLS, Plan, say
from benchmarks.results import Load, Server
from benchmarks.serving import furnish, gateway, shelldock

SHELL = SHELLS / "small"
CLIENTS = (1, 16, 64)
REST = "Shelldock, REST"
PYTHON = "Shelldock, Python"
DURABLE = "Shelldock, Python, durable"
GATEWAY = "Jupyter Kernel Gateway"
LIMIT = 300
"""Seconds for one number of clients."""


def run(plan: Plan, environments: Path) -> Server:
    """Measure how long the server takes to start, and how it fares under load."""
    server = Server(resources=plan.resources)
    with tempfile.TemporaryDirectory(dir=environments) as folder:  # on a disk; /tmp may be none
        room = Path(folder)
        token = furnish(room / "home", SHELL, plan.resources)
        for number in range(plan.rounds):
            say(f"round {number + 1} of {plan.rounds}: start of the server")
            server.start.append(_start(room / "home"))
        with ExitStack() as stack:
            asked = _ours(stack, room, token)
            try:
                asked[GATEWAY] = _gateway(stack, room, environments)
            except MissingError as error:
                server.missing[GATEWAY] = str(error)
            _measure(plan, asked, server)
    return server


def _start(home: Path) -> float:
    begin = time.perf_counter()
    with shelldock(home):
        return time.perf_counter() - begin


def _ours(stack: ExitStack, room: Path, token: str) -> dict[str, Wanted]:
    here = Wanted(clients=0, seconds=0, shell=str(SHELL), room=str(room / "python"))
    url = stack.enter_context(shelldock(room / "home"))
    body: dict[str, object] = {"target": "device 0", "command": "echo", "wait": 60}
    return {
        REST: Wanted(clients=0, seconds=0, url=f"{url}/executions", token=token, body=body),
        DURABLE: msgspec.structs.replace(here, option="durable"),
        PYTHON: here,
    }


def _gateway(stack: ExitStack, room: Path, environments: Path) -> Wanted:
    packages = ("jupyter_kernel_gateway", "ipykernel")
    python = interpreter(environments, SHELL / "src/requirements.txt", packages)
    return Wanted(clients=0, seconds=0, url=stack.enter_context(gateway(python, SHELL, room)))


def _measure(plan: Plan, asked: dict[str, Wanted], server: Server) -> None:
    for name in asked:
        server.loads[name] = [Load(clients=clients) for clients in CLIENTS]
    for number in range(plan.rounds):
        for place, clients in enumerate(CLIENTS):
            for name, wanted in asked.items():
                say(f"round {number + 1} of {plan.rounds}: {clients} clients of {name}")
                one = msgspec.structs.replace(wanted, clients=clients, seconds=plan.load)
                server.loads[name][place].add(_load(one))


def _load(wanted: Wanted) -> Load:
    command = [sys.executable, "-m", "benchmarks.load", msgspec.json.encode(wanted).decode()]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=LIMIT)
    return msgspec.json.decode(done.stdout, type=Load)
