"""``multiprocess``: a process for each instance, pickles over a pipe."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import multiprocess

from benchmarks.peers.shape import load


def serve(source: str, pipe: Any) -> None:
    """Be an instance."""
    driver = load(source)
    with suppress(EOFError):  # the measuring is over
        while True:
            command, inputs = pipe.recv()
            pipe.send(getattr(driver, command)(None, **inputs))


class Peer:
    """Options: ``spawn``, ``forkserver``, and ``preloaded``, a fork server that has imported the driver already."""

    def __init__(self, shell: Path, room: Path, option: str) -> None:
        self._source = str(shell / "src")
        self._option = option
        self._context: Any = multiprocess.get_context(
            "spawn" if option == "spawn" else "forkserver"
        )
        self._processes: list[Any] = []
        self._pipes: list[Any] = []

    async def __aenter__(self) -> Self:
        """Name what is to be preloaded; the fork server starts with the first instance."""
        if self._option == "preloaded":
            os.environ["PYTHONPATH"] = self._source  # the fork server's own path, also before 3.13
            self._context.set_forkserver_preload(["driver"])
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let the processes see the end of their pipes."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.terminate()
            process.join()

    async def start(self, number: int) -> None:
        """A process more."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(self._source, theirs), daemon=True)
        process.start()
        theirs.close()
        self._processes.append(process)
        self._pipes.append(ours)

    async def call(self, number: int, text: str) -> str:
        """There and back."""
        self._pipes[number].send(("echo", {"text": text}))
        return str(self._pipes[number].recv())

    async def call_all(self, text: str) -> list[str]:
        """Into all pipes, then out of all."""
        for pipe in self._pipes:
            pipe.send(("echo", {"text": text}))
        return [str(pipe.recv()) for pipe in self._pipes]
