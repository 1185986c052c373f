"""The SNMP agent of the simulated switch: snmpsim in a process of its own, playing our recording."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

import recording
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    get_cmd,
)

# The agent ends with its parent, however that ends (1 is PR_SET_PDEATHSIG, 15 is SIGTERM).
START = """
import ctypes
ctypes.CDLL(None).prctl(1, 15)
from snmpsim.commands.responder import main
raise SystemExit(main())
"""


class AgentError(Exception):
    """The agent cannot listen, or ended."""


class Agent:
    """Answers on ``port`` of each address to those who know the community."""

    def __init__(self, folder: Path, addresses: list[str], port: int, community: str) -> None:
        self._folder = folder
        self._addresses = addresses
        self._port = port
        self._community = community
        self._log = folder / "agent.log"

    def __enter__(self) -> Self:
        """Start the process; raises ``AgentError`` where a port cannot be opened."""
        for address in self._addresses:
            check_port(address, self._port)
        for name in ("data", "index", "variation"):
            (self._folder / name).mkdir()
        # The agent answers to the community that the recording's file is named after.
        file = self._folder / "data" / f"{self._community}.snmprec"
        file.write_text(recording.write(), encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, *self._options()],
            env={**os.environ, "SNMPSIM_ALLOW_ROOT": "true"},  # it listens on the loopback only
            stdin=subprocess.DEVNULL,
            stdout=self._log.open("wb"),
            stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(self, *failure: object) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()

    def _options(self) -> list[str]:
        return [
            "--quiet",
            f"--data-dir={self._folder / 'data'}",
            f"--cache-dir={self._folder / 'index'}",
            f"--variation-modules-dir={self._folder / 'variation'}",
            *(f"--agent-udpv4-endpoint={address}:{self._port}" for address in self._addresses),
        ]

    async def answered(self, address: str) -> None:
        """Wait until it tells its description; raises ``AgentError`` if it ends instead."""
        engine = SnmpEngine()
        description = ObjectType(ObjectIdentity("1.3.6.1.2.1.1.1.0"))
        try:
            while self._process.poll() is None:
                target = await UdpTransportTarget.create((address, self._port), 0.2, 0)
                error, *_ = await get_cmd(
                    engine, CommunityData(self._community), target, ContextData(), description
                )
                if not error:
                    return
                await asyncio.sleep(0.05)
        finally:
            engine.close_dispatcher()
        raise AgentError(f"the SNMP agent ended: {self._log.read_text(encoding='utf-8')}")


def check_port(address: str, port: int) -> None:
    """Raise ``AgentError`` where the port cannot be opened, with what would help."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((address, port))
        except PermissionError:
            raise AgentError(
                f"not allowed to open UDP port {port} on {address}: run this as root, or let everybody "
                f"with: sysctl -w net.ipv4.ip_unprivileged_port_start={port}"
            ) from None
        except OSError as error:
            raise AgentError(
                f"cannot open UDP port {port} on {address}: {error.strerror}; try another --address"
            ) from None
