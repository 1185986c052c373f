# /// script
# requires-python = ">=3.11"
# dependencies = ["asyncssh>=2.14", "pysmi>=1.5", "snmpsim==1.2.2"]
# ///
"""Plays a Cisco switch on the loopback: its command line over SSH, its structure over SNMP.

::

    uv run docs/examples/networking-switch/simulator/simulate.py

``uv`` makes an environment with what the first lines name; in one that has these already, ``python`` does.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

import asyncssh
from agent import Agent, AgentError
from device import Device
from ios import Session


def main() -> int:
    """Play until interrupted; returns the exit code."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="switch-") as folder:
        try:
            with Agent(
                Path(folder), options.address, options.snmp_port, options.community
            ) as agent:
                asyncio.run(serve(options, Path(folder), agent))
        except AgentError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Play a Cisco switch on the loopback.")
    parser.add_argument("--address", action="append", help="where; may be repeated (127.0.0.10)")
    parser.add_argument("--ssh-port", type=int, default=2222, help="of the command line (2222)")
    parser.add_argument(
        "--snmp-port", type=int, default=161, help="drivers use 161, whatever you say"
    )
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password", default="admin-secret")
    parser.add_argument("--enable-password", default="enable-secret")
    parser.add_argument("--community", default="readonly", help="that SNMP answers to (readonly)")
    parser.add_argument(
        "--files", type=Path, help="folder behind ftp:// and tftp:// (a temporary one)"
    )
    options = parser.parse_args()
    options.address = options.address or ["127.0.0.10"]
    return options


async def serve(options: argparse.Namespace, folder: Path, agent: Agent) -> None:
    """Offer the command line of each switch until a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    served = options.files or folder / "served"
    (served / "backups").mkdir(parents=True, exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    for address in options.address:
        device = Device(options.enable_password, served)
        await asyncssh.listen(
            address,
            options.ssh_port,
            server_host_keys=[key],
            server_factory=lambda: Login(options.user, options.password),
            process_factory=lambda process, device=device: play(process, device),
        )
        await agent.answered(address)
        print(
            f"{address} ready: ssh on port {options.ssh_port}, snmp on port {options.snmp_port}",
            flush=True,
        )
    await stop.wait()


class Login(asyncssh.SSHServer):
    """Lets one user in."""

    def __init__(self, user: str, password: str) -> None:
        self._expected = (user, password)

    def password_auth_supported(self) -> bool:
        """Passwords only."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """Compare with the one user's."""
        return (username, password) == self._expected


class SshTerminal:
    """A session's window, as the command line wants it."""

    def __init__(self, process: asyncssh.SSHServerProcess[str]) -> None:
        self._process = process

    def write(self, text: str) -> None:
        """Show text."""
        self._process.stdout.write(text)

    async def ask(self, prompt: str, echo: bool = True) -> str:
        """Show a prompt and read a line; a password is not shown."""
        self._process.stdout.write(prompt)
        self._echo(echo)
        try:
            line = await self._process.stdin.readline()
        except asyncssh.BreakReceived:
            return ""
        finally:
            self._echo(True)
        if not line:
            raise EOFError
        if not echo:
            self._process.stdout.write("\n")
        return line.rstrip("\r\n")

    def _echo(self, echo: bool) -> None:
        """Show what is typed, or not; a client without a terminal shows it itself."""
        if isinstance(self._process.channel, asyncssh.SSHLineEditorChannel):
            self._process.channel.set_echo(echo)


async def play(process: asyncssh.SSHServerProcess[str], device: Device) -> None:
    """One session, from the first prompt to its end."""
    where = process.get_extra_info("sockname")[0]
    peer = process.get_extra_info("peername")[1]
    task = asyncio.current_task()
    assert task is not None
    device.sessions.add(task)
    print(f"{where} session {peer} opened", flush=True)
    try:
        await Session(
            device,
            SshTerminal(process),
            lambda line: print(f"{where} session {peer} {line}", flush=True),
        ).run()
    except asyncio.CancelledError:
        process.stdout.write("\nConnection closed by a reload.\n")
    finally:
        device.sessions.discard(task)
        print(f"{where} session {peer} closed", flush=True)
        process.exit(0)


if __name__ == "__main__":
    sys.exit(main())
