"""A server that is killed under load, again and again: the ledger adds up each time, and no driver is left."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.databases import PostgreSQL
from tests.serving import Server
from tests.system.soak.lab import ENDED, Lab, Load, Told, descendants, history, until

KILLS = 3
LONG_KILLS = 20


@pytest.fixture(params=["sqlite", "postgresql"])
def lab(request: pytest.FixtureRequest, tmp_path: Path, long: bool) -> Lab:
    variables = {}
    if request.param == "postgresql":
        postgres: PostgreSQL = request.getfixturevalue("postgres")
        variables["SHELLDOCK_STORE__URL"] = postgres.database()
    return Lab.made(tmp_path, 200 if long else 40, **variables)


def kill_below(server: Server, dice: random.Random) -> None:
    """End one of the server's own processes: a driver, or what forks them."""
    pids = sorted(descendants(server.process.pid))
    if pids:
        with suppress(ProcessLookupError):
            os.kill(dice.choice(pids), signal.SIGKILL)


def accounted_for(
    lab: Lab, told: Told, known: list[dict[str, object]], *, lost: bool
) -> Counter[str]:
    """Assert that the ledger and the drivers' journal agree with what clients were told; how many ended how."""
    states = {str(one["id"]): str(one["state"]) for one in known}
    labels = {str(one["id"]): dict(one["inputs"])["label"] for one in known}  # type: ignore[call-overload]
    begun, done = lab.begun(), lab.done()
    assert set(states.values()) <= (ENDED if lost else ENDED - {"failed"})
    assert told.ids.items() <= {label: id for id, label in labels.items()}.items()
    assert len(set(labels.values())) == len(labels), "the same request was accepted twice"
    assert set(begun.values()) <= {1}, "a command ran twice"
    assert set(begun) <= set(labels.values()), "a command ran that nobody accepted"
    for id, state in states.items():
        assert state != "completed" or labels[id] in done
        assert state != "cancelled" or labels[id] not in begun
    return Counter(states.values())


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("below", [False, True], ids=["server", "server and drivers"])
def test_whenever_the_server_is_killed_the_ledger_adds_up_and_no_driver_lives_on(
    lab: Lab, long: bool, below: bool
) -> None:
    dice = random.Random()
    told = Told()
    server = lab.serve()
    with server.client() as admin:
        token = admin.headers["Authorization"].partition(" ")[2]
    for number in range(LONG_KILLS if long else KILLS):
        load = Load(lab, server.url, token, f"kill{number}")
        load.told = told
        clients = threading.Thread(target=load.run, args=(50 if long else 20, 10_000))
        clients.start()
        until(lambda: any(one.startswith(f"kill{number}-") for one in list(told.ids)))  # noqa: B023
        end = time.monotonic() + dice.uniform(0, 3)
        while time.monotonic() < end:
            time.sleep(dice.uniform(0, 0.5))
            if below:
                kill_below(server, dice)
        with suppress(psutil.NoSuchProcess):
            psutil.Process(server.process.pid).suspend()  # so that nothing new is started meanwhile
        drivers = descendants(server.process.pid)
        server.kill()
        clients.join()
        lab.until_no_driver_lives(drivers)
        server = lab.serve()
        again = Load(lab, server.url, token, "")
        again.told = told
        with again.client() as client:
            ended = accounted_for(lab, told, history(client), lost=below)
        print(
            f"kill {number}: {len(told.ids)} accepted, {len(told.unanswered)} unanswered, {dict(ended)}"
        )
        again.ask_again()
        again.until_all_ended()
    assert told.refused == []
    assert server.end() == 0
    server = lab.serve()
    with Load(lab, server.url, token, "").client() as client:
        accounted_for(lab, told, history(client), lost=below)
    assert server.end() == 0
