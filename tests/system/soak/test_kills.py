"""A server that is killed under load, again and again: the ledger adds up each time, and no driver is left."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.databases import PostgreSQL
from tests.serving import Server
from tests.system.soak.lab import ENDED, Lab, Load, Told, history, until

KILLS = 3
LONG_KILLS = 20


@pytest.fixture(params=["sqlite", "postgresql"])
def lab(request: pytest.FixtureRequest, tmp_path: Path, long: bool) -> Iterator[Lab]:
    variables = {}
    if request.param == "postgresql":
        postgres: PostgreSQL = request.getfixturevalue("postgres")
        variables["SHELLDOCK_STORE__URL"] = postgres.database()
    lab = Lab.made(tmp_path, 200 if long else 40, **variables)
    yield lab
    lab.close()


def kill_below(lab: Lab, dice: random.Random) -> None:
    """End one of the lab's own processes: a driver, or what forks them."""
    if pids := lab.drivers():
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
    assert told.ids.items() <= {label: one for one, label in labels.items()}.items()
    assert len(set(labels.values())) == len(labels), "the same request was accepted twice"
    assert set(begun.values()) <= {1}, "a command ran twice"
    assert set(begun) <= set(labels.values()), "a command ran that nobody accepted"
    for one, state in states.items():
        assert state != "completed" or labels[one] in done
        assert state != "cancelled" or labels[one] not in begun
    return Counter(states.values())


def killed_under_load(lab: Lab, load: Load, server: Server, clients: int, *, below: bool) -> int:
    """Kill a server at some moment, and wait until no driver lives; how many did.

    :param below: whether drivers, and what forks them, are killed before.
    """
    dice = random.Random()
    before = len(load.told.ids)
    asking = threading.Thread(target=load.run, args=(clients, 10_000))
    asking.start()
    until(lambda: len(load.told.ids) > before)
    end = time.monotonic() + dice.uniform(0, 3)
    while time.monotonic() < end:
        time.sleep(dice.uniform(0, 0.5))
        if below:
            kill_below(lab, dice)
    lived = len(lab.drivers())
    server.kill()
    asking.join()
    until(lambda: not lab.drivers())
    return lived


@pytest.mark.timeout(3600)
def test_whenever_the_server_is_killed_the_ledger_adds_up_and_no_driver_lives_on(
    lab: Lab, long: bool
) -> None:
    told = Told()
    most = 0
    server = lab.serve()
    with server.client() as admin:  # a token of its own, which a kill does not take
        token = admin.headers["Authorization"].partition(" ")[2]
    for number in range(LONG_KILLS if long else KILLS):
        below = number % 2 == 1
        load = Load(lab, server, token, f"kill{number}", told)
        lived = killed_under_load(lab, load, server, 50 if long else 20, below=below)
        most = max(most, lived)
        server = lab.serve()
        again = Load(lab, server, token, "", told)
        with again.client() as client:
            ended = accounted_for(lab, told, history(client), lost=number > 0)
        accepted, unanswered = len(told.ids), len(told.unanswered)
        print(
            f"kill {number}, {lived} processes: {accepted} accepted, {unanswered} unanswered, {dict(ended)}"
        )
        again.ask_again()
        again.until_all_ended()
    assert told.refused == []
    assert most > 1, "no driver was there to be left"
    with again.client() as client:
        accounted_for(lab, told, history(client), lost=True)
    assert server.end() == 0
