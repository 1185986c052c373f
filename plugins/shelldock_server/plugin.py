"""The server as a plugin: its settings, and the command ``shelldock serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from shelldock.hookspecs import hookimpl

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens, and how much it takes."""

    address: str = "127.0.0.1"
    port: Port = 8160
    certificate: str = ""
    """PEM file of the certificate and its chain; empty: no TLS."""
    key: str = ""
    """PEM file of its key; empty: it is in the same file."""
    drain: Seconds = 60.0
    """Seconds that running commands have when the server is asked to end."""
    body_limit: Annotated[int, msgspec.Meta(ge=1024)] = 16 * 2**20
    """Bytes of a request."""
    shell_limit: Annotated[int, msgspec.Meta(ge=1024)] = 256 * 2**20
    """Bytes of a shell that is uploaded."""
    patience: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    """Seconds in which a client must send the head of a request, each part of its body, and take each of an answer."""
    connections: Annotated[int, msgspec.Meta(ge=1)] = 1000
    """Clients at a time; more are turned away with 503."""

    @hookimpl
    def shelldock_commands(self, app: typer.Typer) -> None:
        """Add ``shelldock serve``."""

        @app.command()
        def serve(
            context: typer.Context,
            *,
            address: Annotated[
                str, typer.Option(help="Where to listen; beyond this machine only if told so.")
            ] = self.address,
            port: Annotated[
                int, typer.Option(help="0: any that is free.", min=0, max=65535)
            ] = self.port,
            certificate: Annotated[
                str, typer.Option(metavar="FILE", help="PEM file of a certificate: speak TLS.")
            ] = self.certificate,
            key: Annotated[
                str,
                typer.Option(metavar="FILE", help="PEM file of its key, unless it is in the same."),
            ] = self.key,
            json_logs: Annotated[
                bool, typer.Option("--json-logs", help="Write the log as JSON, an object a line.")
            ] = False,
        ) -> None:
            """Hold inventory, sandboxes, instances and history, and let people and programs drive them over HTTP."""
            from shelldock.cli.importing import (
                undisturbed,  # a host without a command line needs none of it
            )

            with undisturbed():  # what only a server needs is imported for one
                from shelldock_server.serving import serve as run

            changes = {"address": address, "port": port, "certificate": certificate, "key": key}
            for file in filter(None, (certificate, key)):
                if not Path(file).is_file():
                    raise typer.BadParameter(f"there is no file {file!r}")
            run(context, msgspec.structs.replace(self, **changes), json_logs=json_logs)
