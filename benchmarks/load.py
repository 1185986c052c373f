"""Clients that each ask again as soon as they are answered: over HTTP, or of a host in this process.

Argument: a ``Wanted`` as JSON. Prints a ``benchmarks.results.Load`` of one round.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

import aiohttp
import msgspec

from benchmarks.peers.shelldock import Peer
from benchmarks.results import Load, Struct

Ask = Callable[[str], Awaitable[str]]


class Wanted(Struct):
    """Who is asked, by how many, for how long."""

    clients: int
    seconds: float
    url: str = ""
    """Empty: a host in this process."""
    token: str = ""
    body: dict[str, object] | None = None
    """What is posted; the text to echo is added to its ``inputs``. Without it the text is a query."""
    shell: str = ""
    room: str = ""
    option: str = ""


@asynccontextmanager
async def http(wanted: Wanted) -> AsyncIterator[Ask]:
    """Ask a server, over as many connections as there are clients."""
    headers = {"Authorization": f"Bearer {wanted.token}"} if wanted.token else {}

    async def ask(text: str) -> str:
        if wanted.body is None:
            request = session.get(wanted.url, params={"text": text})
        else:
            request = session.post(wanted.url, json={**wanted.body, "inputs": {"text": text}})
        async with request as answer:
            said = await answer.text()
            assert answer.ok, said
        return said

    connector = aiohttp.TCPConnector(limit=wanted.clients)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        yield ask


@asynccontextmanager
async def python(wanted: Wanted) -> AsyncIterator[Ask]:
    """Ask a host in this process."""
    async with Peer(Path(wanted.shell), Path(wanted.room), wanted.option) as peer:
        await peer.start(0)
        yield lambda text: peer.call(0, text)


async def client(ask: Ask, name: int, until: float) -> list[float]:
    """The latencies of one client."""
    latencies: list[float] = []
    while (begin := time.perf_counter()) < until:
        text = f"client {name}, call {len(latencies)}."
        assert text in await ask(text)
        latencies.append(time.perf_counter() - begin)
    return latencies


async def load(wanted: Wanted) -> Load:
    """Let the clients ask."""
    async with http(wanted) if wanted.url else python(wanted) as ask:
        await ask("ready")
        begin = time.perf_counter()
        until = begin + wanted.seconds
        found = await asyncio.gather(*(client(ask, one, until) for one in range(wanted.clients)))
        seconds = time.perf_counter() - begin
    latencies = [one for some in found for one in some]
    return Load(
        clients=wanted.clients,
        rate=[len(latencies) / seconds],
        trip=[median(latencies)],
        slow=[quantiles(latencies, n=100)[98]],
    )


def main() -> None:
    """Measure."""
    wanted = msgspec.json.decode(sys.argv[1], type=Wanted)
    print(msgspec.json.encode(asyncio.run(load(wanted))).decode())


if __name__ == "__main__":
    main()
