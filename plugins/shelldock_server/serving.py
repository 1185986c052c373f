"""``shelldock serve``: the application on a socket, from the first start to the last command."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any, Final

import h11
import typer
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from shelldock import AsyncHost
from shelldock.cli.session import general, paths, settings
from shelldock.errors import ConflictError, SettingsError, ShelldockError
from shelldock.logs import configure
from shelldock.remote import ServerLogin
from shelldock_server.app import build, describe
from shelldock_server.events import Events
from shelldock_server.metrics import Metrics
from shelldock_server.plugin import Server

log = logging.getLogger(__name__)

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request's head."""

BACKLOG: Final = 1024


def serve(context: typer.Context, server: Server, *, json_logs: bool = False) -> None:
    """Serve until somebody asks to end. Raises ``HeldError``, ``ConflictError`` and ``SettingsError``."""
    if json_logs:
        configure("DEBUG" if general(context).verbose else "INFO", json=True)
    asyncio.run(Serving(context, server).run())


class Serving:
    """One host, and the application that drives it."""

    def __init__(self, context: typer.Context, server: Server) -> None:
        self._context = context
        self._server = server
        self._events = Events()
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._reloading: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """From the first request to the last command's end."""
        listening = _listen(self._server)
        try:
            tls = _tls(self._server)
            metrics = Metrics()
            host = AsyncHost(
                settings(self._context),
                paths=paths(),
                plugins=[self._events, metrics],
                durable=True,
            )
            self._host = host
            async with host:
                url = _url(self._server, listening)
                host.offer("server_login", lambda: self._login(url))
                app = build(host, self._server, self._events, metrics, self.reload, self._stop.set)
                web = _Web(_config(app, self._server, tls), listening)
                with self._signals():
                    await web.begin()
                    await self._greet(url)
                    describing = asyncio.create_task(asyncio.to_thread(describe, app))
                    await self._stop.wait()
                    await self._drain()
                    self._events.close()
                    await web.end()
                    await describing
        finally:
            listening.close()

    async def reload(self) -> None:
        """Read the settings again. Raises ``SettingsError``; then all stays as it was."""
        self._host.reload(settings(self._context))

    async def _greet(self, url: str) -> None:
        password = await asyncio.to_thread(self._host.users.bootstrap)
        if password:
            _say("this is the first start: there is one user, 'admin', with the password")
            _say(f"    {password}")
            _say(f"log in with: shelldock login {url} --user admin")
        if not self._server.certificate and not _is_loopback(self._server.address):
            _say(
                f"{self._server.address} is reached from elsewhere, and passwords go there in clear: give --certificate"
            )
        _say(f"serving on {url}")

    def _login(self, url: str) -> ServerLogin:
        """For whoever may enter the user's own socket."""
        return ServerLogin(
            url=url, token=self._host.users.local(), certificate=self._server.certificate
        )

    async def _drain(self) -> None:
        _say(f"ending: what runs has {self._server.drain:g} s; ask again to end at once")
        draining = asyncio.create_task(self._host.drain(self._server.drain))
        hurry = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({draining, hurry}, return_when=asyncio.FIRST_COMPLETED)
        for one in (draining, hurry):
            one.cancel()
        await asyncio.wait({draining, hurry})

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, self._asked_to_end)
        loop.add_signal_handler(signal.SIGHUP, self._asked_to_reload)
        try:
            yield
        finally:
            for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(one)

    def _asked_to_end(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def _asked_to_reload(self) -> None:
        async def reload() -> None:
            try:
                await self.reload()
                _say("the settings were read again")  # a signal has no other answer
            except ShelldockError as error:
                log.error("the settings stay as they were: %s", error)

        task = asyncio.create_task(reload())
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)


class _Web:
    """Uvicorn on the host's own loop, without its signal handlers."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        self._server = uvicorn.Server(config)
        self._listening = listening
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        await self._server.startup(sockets=[self._listening])
        self._task = asyncio.create_task(self._server.main_loop(), name="web")

    async def end(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        await self._server.shutdown(sockets=[self._listening])


class _Patient(H11Protocol):
    """HTTP/1.1 that hangs up on whoever does not come to the end of a request's head, or does not take an answer."""

    patience = 30.0

    def connection_made(self, transport: Any) -> None:
        """Begin to count."""
        super().connection_made(transport)
        self._full: asyncio.TimerHandle | None = None
        self._late = self.loop.call_later(self.patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no more."""
        self._late.cancel()
        super().connection_lost(exc)
        self._drained()

    def pause_writing(self) -> None:
        """The client has more to take than it takes."""
        super().pause_writing()
        self._full = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken it."""
        super().resume_writing()
        self._drained()

    def _drained(self) -> None:
        if self._full is not None:
            self._full.cancel()

    def _look(self) -> None:
        # Whoever sent a part of a head and no more is as idle as one who sent nothing.
        if self.conn.their_state is h11.IDLE:
            self.transport.close()
            return
        self._late = self.loop.call_later(self.patience, self._look)


def _config(app: Any, server: Server, tls: bool) -> uvicorn.Config:
    protocol = type("_Patient", (_Patient,), {"patience": server.patience})
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=server.connections,
        timeout_keep_alive=int(server.patience),
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=HEAD_LIMIT,
        ssl_certfile=server.certificate if tls else None,
        ssl_keyfile=_key(server) if tls else None,
    )


def _listen(server: Server) -> socket.socket:
    """A socket that listens. Raises ``ConflictError``."""
    try:
        found = socket.getaddrinfo(
            server.address, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise ConflictError(f"cannot serve on {server.address!r}: {error.strerror}") from error
    family, kind, protocol, _, place = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        reason = os.strerror(error.errno or 0).lower()
        raise ConflictError(
            f"cannot serve on {server.address}:{server.port}: {reason}; free it, or choose another --port"
        ) from error
    made.setblocking(False)
    return made


def _tls(server: Server) -> bool:
    """Whether to speak TLS. Raises ``SettingsError`` where the files are none."""
    if not server.certificate:
        return False
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate, _key(server))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"cannot speak TLS with {server.certificate!r} and {_key(server)!r}: {error}"
        ) from error
    return True


def _key(server: Server) -> str:
    return server.key if server.key else server.certificate


def _url(server: Server, listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # everywhere: this machine reaches itself
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    scheme = "https" if server.certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_loopback(address: str) -> bool:
    with suppress(ValueError):
        return ip_address(address).is_loopback
    return address == "localhost"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
