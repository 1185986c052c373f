"""A lab with many resources, clients that keep its server busy, and what they were told."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from tests.serving import Server
from tests.workshop import Journal, Workshop

from shelldock import AsyncHost
from shelldock.paths import Paths
from shelldock.settings import load

BUSY = "sw0"
"""The resource that gets a third of all commands."""

ENDED = {"completed", "failed", "cancelled", "interrupted"}


@dataclass(frozen=True)
class Lab:
    """A home with resources of a shell whose driver keeps a journal outside of it."""

    home: Path
    journal: Journal
    resources: int
    variables: dict[str, str]
    servers: list[Server] = field(default_factory=list)

    @classmethod
    def made(cls, folder: Path, resources: int, **variables: str) -> Lab:
        """In a folder."""
        workshop = Workshop(folder)
        host = AsyncHost(load(None, variables), paths=Paths.below(folder / "home"))
        shell = host.catalog.add(workshop.shell("box"))
        for number in range(resources):
            host.inventory.create(f"sw{number}", shell)
        host.store.close()
        return cls(folder / "home", workshop.journal, resources, variables)

    def serve(self) -> Server:
        """A server for it."""
        server = Server(self.home, **self.variables)
        self.servers.append(server)
        return server

    def close(self) -> None:
        """Leave no server."""
        for server in self.servers:
            server.kill()

    def begun(self) -> Counter[str]:
        """How often each command began, by its label."""
        return Counter(self._noted("begin "))

    def done(self) -> set[str]:
        """The labels of those that came to their end."""
        return set(self._noted("end "))

    def _noted(self, what: str) -> list[str]:
        noted = self.journal.events()
        return [one.removeprefix(what) for one in noted if one.startswith(what)]

    def drivers(self) -> list[int]:
        """The processes that run in the lab's environments, whoever started them: drivers, and what forks them."""
        place = f"{self.home}/"
        found = []
        for one in psutil.process_iter(["cmdline", "status"]):
            command = one.info["cmdline"] or [""]
            if command[0].startswith(place) and one.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(one.pid)
        return found


@dataclass
class Told:
    """What clients asked a server for, and what it answered."""

    ids: dict[str, str] = field(default_factory=dict)
    """The execution of each label that was accepted."""
    unanswered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


class Load:
    """Clients that ask for commands, each for one after the other.

    :param token: an admin's.
    :param label: what the labels begin with.
    :param told: to which is added what clients are told.
    """

    def __init__(self, lab: Lab, server: Server, token: str, label: str, told: Told) -> None:
        self._lab = lab
        self._server = server
        self._token = token
        self._label = label
        self.told = told

    def client(self) -> httpx.Client:
        """One that is logged in."""
        return self._server.bearer(self._token)

    def run(self, clients: int, each: int) -> None:
        """Ask for ``each`` commands from every client, or until the server is gone."""
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(lambda number: self._ask_for_all(number, each), range(clients)))

    def ask_again(self) -> None:
        """Ask once more, as the same requests, for what was not answered."""
        unanswered, self.told.unanswered = self.told.unanswered, []
        with self.client() as client:
            for label in unanswered:
                self._ask(client, label)

    def until_all_ended(self) -> list[dict[str, Any]]:
        """All that were accepted, when they have ended, oldest first."""
        with self.client() as client:
            for one in self.told.ids.values():
                answer = client.get(f"executions/{one}", params={"wait": 60})
                assert answer.json()["state"] in ENDED, answer.text
            accepted = set(self.told.ids.values())
            return [one for one in history(client) if one["id"] in accepted]

    def _ask_for_all(self, number: int, each: int) -> None:
        with self.client() as client:
            for turn in range(each):
                if not self._ask(client, f"{self._label}-{number}-{turn}"):
                    return

    def _ask(self, client: httpx.Client, label: str) -> bool:
        """Whether the server answered."""
        number, turn = map(int, label.split("-")[-2:])
        place = (number * 37 + turn) % self._lab.resources
        target = BUSY if turn % 3 == 0 else f"sw{place}"
        body = {"target": target, "command": "work", "inputs": {"label": label, "seconds": "0"}}
        try:
            answer = client.post("executions", json=body, headers={"Idempotency-Key": label})
        except httpx.TransportError:
            self.told.unanswered.append(label)
            return False
        if answer.status_code == 201:
            self.told.ids[label] = answer.json()["id"]
        else:
            self.told.refused.append(answer.text)
        return True


def history(client: httpx.Client) -> list[dict[str, Any]]:
    """Every execution that a server knows, oldest first."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = client.get("executions", params={"limit": 1000, "after": after}).json()
        found += page["items"]
        after = page["next"]
        if not after:
            return found[::-1]


def until(happens: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@contextmanager
def slow_clients(url: str, token: str, count: int) -> Iterator[None]:
    """Clients that never finish a request, others that never read their events, and as many that do."""
    place = httpx.URL(url)
    head = f"GET /api/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
    sockets = [socket.create_connection((place.host, place.port)) for _ in range(3 * count)]
    for number, one in enumerate(sockets):
        one.sendall(head.encode() + (b"\r\n" if number >= count else b""))
    readers = [threading.Thread(target=_read, args=(one,)) for one in sockets[2 * count :]]
    for thread in readers:
        thread.start()
    try:
        yield
    finally:
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in readers:
            thread.join()


def _read(stream: socket.socket) -> None:
    with suppress(OSError):
        while stream.recv(65536):
            pass
