"""Many clients at once, for long: everything is accounted for, in order, and memory does not grow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.serving import Server
from tests.system.soak.lab import BUSY, Lab, Load, Told, slow_clients

MIB = 2**20


@dataclass(frozen=True)
class Size:
    """How much there is to do."""

    resources: int
    clients: int
    each: int
    rounds: int
    growth: float
    """MiB that the rounds after the first may take in all."""


SHORT = Size(resources=40, clients=20, each=20, rounds=3, growth=12)
LONG = Size(resources=200, clients=50, each=40, rounds=10, growth=12)


@pytest.fixture
def size(long: bool) -> Size:
    return LONG if long else SHORT


@pytest.fixture
def lab(tmp_path: Path, size: Size) -> Iterator[Lab]:
    lab = Lab.made(tmp_path, size.resources)
    yield lab
    lab.close()


@pytest.fixture
def server(lab: Lab) -> Server:
    return lab.serve()


def held(server: Server) -> float:
    """MiB of memory that are the server's own or its share of what it has in common with drivers."""
    return float(psutil.Process(server.process.pid).memory_full_info().pss) / MIB


def in_order(lab: Lab, label: str) -> None:
    """Assert that what one client asked of one driver ran in the order in which it was asked for."""
    turns = defaultdict(list)
    for one in lab.begun():
        if one.startswith(f"{label}-"):
            client, turn = map(int, one.split("-")[-2:])
            if turn % 3 == 0:
                turns[client].append(turn)
    assert turns
    assert all(one == sorted(one) for one in turns.values())


@pytest.mark.timeout(3600)
def test_all_that_is_accepted_runs_once_and_in_order_and_memory_stays_as_it_is(
    lab: Lab, server: Server, size: Size
) -> None:
    token = server.token()
    memory = []
    with slow_clients(server.url, token, 5):
        for number in range(size.rounds):
            load = Load(lab, server, token, f"round{number}", Told())
            load.run(size.clients, size.each)
            assert (load.told.refused, load.told.unanswered) == ([], [])
            assert (
                len(load.told.ids) == len(set(load.told.ids.values())) == size.clients * size.each
            )
            known = load.until_all_ended()
            assert {one["state"] for one in known} == {"completed"}
            assert {one["inputs"]["label"]: one["id"] for one in known} == load.told.ids
            accepted = [one["inputs"]["label"] for one in known if one["target"] == BUSY]
            begun = [one for one in lab.begun() if one in set(accepted)]
            assert begun == accepted
            in_order(lab, f"round{number}")
            memory.append(held(server))
    assert set(lab.begun().values()) == {1}
    assert lab.done() == set(lab.begun())
    print(f"memory after each round, MiB: {', '.join(f'{one:.1f}' for one in memory)}")
    warm = len(memory) // 2
    assert memory[-1] - memory[warm - 1] < size.growth
    assert server.end() == 0
    assert "Exception" not in server.log.read_text()
