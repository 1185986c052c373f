"""The command line of the simulated switch: modes, dialogues and complaints as in Cisco IOS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from copy import deepcopy
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urlsplit

import show
from device import Device, local, served
from switch import Configuration, is_section, put, take
from terminal import Kept, Terminal
from words import Commands, Complaint

USER, PRIVILEGED, CONFIGURATION, SECTION = ">", "#", "(config)#", "(config-if)#"

# The first words that the configuration mode, and a section of it, take.
GLOBAL = (
    "aaa banner boot config-register hostname ip logging ntp service snmp-server spanning-tree "
    "username version vtp"
)
IN_SECTION = (
    "channel-group description duplex exec-timeout ip l2protocol-tunnel login mtu name shutdown "
    "spanning-tree speed state switchport transport"
)


class Leave(Exception):
    """The session ends."""


COMMANDS: Commands[Session] = Commands()


class Session:
    """One command line on a device, from the first prompt to ``exit``."""

    def __init__(self, device: Device, terminal: Terminal, hear: Callable[[str], None]) -> None:
        self.device = device
        self.terminal = terminal
        self.mode = USER
        self._hear = hear
        self._section: list[str] = []

    @property
    def prompt(self) -> str:
        """``access-1>`` and so on."""
        return self.device.hostname + self.mode

    async def run(self) -> None:
        """Read and obey lines until the session ends."""
        try:
            while True:
                line = (await self.terminal.ask(self.prompt)).strip()
                self._hear(self.prompt + line)
                if line and not line.startswith("!"):
                    await self.obey(line)
        except (EOFError, Leave):
            return

    async def obey(self, line: str) -> None:
        """Run one line, or say what is wrong with it."""
        try:
            if self.mode in (USER, PRIVILEGED):
                await self._execute(line)
            else:
                await self._configure(line)
        except Complaint as complaint:
            if complaint.at is not None:
                starts = [word.start() for word in re.finditer(r"\S+", line)]
                self._say(" " * (len(self.prompt) + starts[complaint.at]) + "^")
            self._say(f"{complaint}\n")

    def _say(self, text: str) -> None:
        self.terminal.write(f"{text}\n")

    async def _execute(self, line: str) -> None:
        """Run a command of the user or privileged mode, with its output filter."""
        line, _, filters = line.partition("|")
        modes = (USER,) if self.mode == USER else (USER, PRIVILEGED)
        found, rest = COMMANDS.find(line.split(), modes)
        if not filters:
            await found.run(self, rest)
            return
        kept = Kept(self.terminal)
        self.terminal, terminal = kept, self.terminal
        try:
            await found.run(self, rest)
        finally:
            self.terminal = terminal
        self.terminal.write(kept.filtered(filters))

    async def _configure(self, line: str) -> None:
        """Take a line of configuration."""
        first, _, rest = line.partition(" ")
        if first == "do":
            mode, self.mode = self.mode, PRIVILEGED
            try:
                await self._execute(rest)
            finally:
                self.mode = mode
        elif first == "end" or (first == "exit" and self.mode == CONFIGURATION):
            self.mode = PRIVILEGED
        elif first == "exit":
            self.mode = CONFIGURATION
        elif is_section(line):
            self._section = self.device.running.enter(f"{first} {interface_name(rest)}")
            self.mode = SECTION
        else:
            self._set(line)

    def _set(self, line: str) -> None:
        """Set or remove a line, of the section if it is one of those, else of the whole."""
        no, line = line.startswith("no "), line.removeprefix("no ")
        word = line.split()[0]
        if no and is_section(line):
            kind, _, name = line.partition(" ")
            self.device.running.sections.pop(f"{kind} {interface_name(name)}", None)
        elif self.mode == SECTION and known(word, IN_SECTION):
            (take if no else put)(self._section, line)
        elif known(word, GLOBAL):
            self.mode = CONFIGURATION
            (take if no else put)(self.device.running.lines, line)
        else:
            raise Complaint("% Invalid input detected at '^' marker.", int(no))

    # ---- modes ----------------------------------------------------------------------------------

    @COMMANDS.offer("enable", USER)
    async def enable(self, rest: list[str]) -> None:
        """Enter the privileged mode, by password."""
        for _ in range(3):
            if self.mode != USER:
                return
            if await self.terminal.ask("Password: ", echo=False) == self.device.enable_password:
                self.mode = PRIVILEGED
        if self.mode == USER:
            raise Complaint("% Bad secrets")

    @COMMANDS.offer("disable", PRIVILEGED)
    async def disable(self, rest: list[str]) -> None:
        """Go back to the user mode."""
        self.mode = USER

    @COMMANDS.offer("exit", USER)
    @COMMANDS.offer("logout", USER)
    async def exit(self, rest: list[str]) -> None:
        """End the session."""
        raise Leave

    @COMMANDS.offer("configure terminal", PRIVILEGED)
    async def configure(self, rest: list[str]) -> None:
        """Enter the configuration mode."""
        self._say("Enter configuration commands, one per line.  End with CNTL/Z.")
        self.mode = CONFIGURATION

    @COMMANDS.offer("terminal", USER, more=True)
    async def terminal_setting(self, rest: list[str]) -> None:
        """Take settings of the terminal; this one never pages."""
        if not rest or rest[0] not in ("length", "width", "no", "monitor"):
            raise Complaint("% Invalid input detected at '^' marker.", 1)

    # ---- show -----------------------------------------------------------------------------------

    @COMMANDS.offer("show version", USER)
    async def show_version(self, rest: list[str]) -> None:
        """What runs here."""
        self.terminal.write(show.version(self.device.hostname, self.device.image))

    @COMMANDS.offer("show inventory", USER)
    async def show_inventory(self, rest: list[str]) -> None:
        """The parts of the switch."""
        self.terminal.write(show.inventory())

    @COMMANDS.offer("show ip interface brief", USER)
    async def show_interfaces(self, rest: list[str]) -> None:
        """The interfaces with their addresses and states."""
        self.terminal.write(show.interfaces(self.device.running))

    @COMMANDS.offer("show vlan", PRIVILEGED, more=True)
    async def show_vlans(self, rest: list[str]) -> None:
        """The VLANs with their ports."""
        self.terminal.write(show.vlans(self.device.running))

    @COMMANDS.offer("show running-config", PRIVILEGED)
    async def show_running(self, rest: list[str]) -> None:
        """The running configuration."""
        self._say_configuration(self.device.running.text())

    @COMMANDS.offer("show running-config interface", PRIVILEGED, more=True)
    async def show_running_interface(self, rest: list[str]) -> None:
        """One interface of the running configuration."""
        name = f"interface {interface_name(' '.join(rest))}"
        if name not in self.device.running.sections:
            raise Complaint("% Invalid input detected at '^' marker.", 3)
        self._say_configuration(f"{self.device.running.section(name)}\nend\n\n")

    def _say_configuration(self, text: str) -> None:
        self._say(f"Building configuration...\n\nCurrent configuration : {len(text)} bytes\n!")
        self.terminal.write(text)

    @COMMANDS.offer("show startup-config", PRIVILEGED)
    async def show_startup(self, rest: list[str]) -> None:
        """The startup configuration."""
        if not self.device.startup.lines:
            raise Complaint("startup-config is not present")
        text = self.device.startup.text()
        self._say(f"Using {len(text)} out of 524280 bytes\n!")
        self.terminal.write(text)

    @COMMANDS.offer("show snmp user", PRIVILEGED)
    async def show_snmp_users(self, rest: list[str]) -> None:
        """The users of SNMP v3."""
        for line in self.device.running.lines:
            if line.startswith("snmp-server user "):
                _, _, user, group, *_ = line.split()
                self._say(f"User name: {user}\nGroup-name: {group}\n")

    @COMMANDS.offer("show file systems", PRIVILEGED)
    async def show_file_systems(self, rest: list[str]) -> None:
        """Where files can lie."""
        self.terminal.write(show.FILE_SYSTEMS)

    @COMMANDS.offer("dir", PRIVILEGED, more=True)
    async def directory(self, rest: list[str]) -> None:
        """The files on the flash."""
        self._say("Directory of flash:/\n")
        for at, (name, content) in enumerate(self.device.files.items(), 1):
            self._say(
                f"{at:5}  -rw-  {len(content) or 76_921_284:9}  Mar 1 2020 00:02:13 +00:00  {name[7:]}"
            )

    # ---- ping -----------------------------------------------------------------------------------

    @COMMANDS.offer("ping", USER, more=True)
    async def ping(self, rest: list[str]) -> None:
        """Send echoes, each with the chance to be answered that the interfaces then give it."""
        try:
            address = IPv4Address(rest[0])
        except (AddressValueError, IndexError):
            raise Complaint("% Unrecognized host or address, or protocol not running.") from None
        options = dict(zip(rest[1::2], rest[2::2], strict=False))
        count, limit = int(options.get("repeat", 5)), int(options.get("timeout", 2))
        self._say("Type escape sequence to abort.")
        self._say(f"Sending {count}, 100-byte ICMP Echos to {address}, timeout is {limit} seconds:")
        answered = 0
        for _ in range(count):
            answer = self.device.reachable(address)
            await asyncio.sleep(0.002 if answer else limit)
            answered += answer
            self.terminal.write("!" if answer else ".")
        trip = ", round-trip min/avg/max = 1/1/4 ms" if answered else ""
        self._say(f"\nSuccess rate is {100 * answered // count} percent ({answered}/{count}){trip}")

    # ---- files ----------------------------------------------------------------------------------

    @COMMANDS.offer("copy", PRIVILEGED, more=True)
    async def copy(self, rest: list[str]) -> None:
        """Copy a configuration or a file, after asking what the URL leaves open."""
        if len(rest) < 2:
            raise Complaint("% Incomplete command.")
        source, target = rest[:2]
        if served(target):
            await self.terminal.ask(
                f"Address or name of remote host [{urlsplit(target).hostname}]? "
            )
        path = urlsplit(target).path if served(target) else target.partition(":")[2]
        name = path.lstrip("/") or target
        await self.terminal.ask(f"Destination filename [{name}]? ")
        text = self.device.read(source)
        self._say(f"{'Writing' if served(target) else 'Loading'} {name} !")
        self.device.write(target, text)
        if not served(target):
            self._say(f"[OK - {len(text)}/4096 bytes]\n")
        self._say(f"{len(text)} bytes copied in 0.512 secs ({len(text) * 2} bytes/sec)")

    @COMMANDS.offer("configure replace", PRIVILEGED, more=True)
    async def replace(self, rest: list[str]) -> None:
        """Make the running configuration equal to a file's."""
        wanted = Configuration.parse(self.device.read(rest[0]))
        self._say(
            "This will apply all necessary additions and deletions\n"
            "to replace the current running configuration with the\n"
            "contents of the specified configuration file, which is\n"
            "assumed to be a complete configuration, not a partial\n"
            "configuration."
        )
        answer = await self.terminal.ask("Enter Y if you are sure you want to proceed. ? [no]: ")
        if answer.lower().startswith("y"):
            self.device.running = wanted
            self._say("Total number of passes: 1\nRollback Done\n")

    @COMMANDS.offer("delete", PRIVILEGED, more=True)
    async def delete(self, rest: list[str]) -> None:
        """Delete a file, after asking which and whether."""
        name = rest[0].partition(":")[2].lstrip("/")
        await self.terminal.ask(f"Delete filename [{name}]? ")
        if (await self.terminal.ask(f"Delete {rest[0]}? [confirm]")).lower() in ("", "y"):
            if name in ("startup_config", "startup-config"):
                self.device.startup = Configuration()
            elif self.device.files.pop(local(rest[0]), None) is None:
                raise Complaint(f"%Error deleting {rest[0]} (No such file or directory)")

    @COMMANDS.offer("write memory", PRIVILEGED)
    async def write_memory(self, rest: list[str]) -> None:
        """Save the running configuration as the startup configuration."""
        self.device.startup = deepcopy(self.device.running)
        self._say("Building configuration...\n[OK]")

    @COMMANDS.offer("reload", PRIVILEGED)
    async def reload(self, rest: list[str]) -> None:
        """Start again."""
        if self.device.running != self.device.startup:
            answer = await self.terminal.ask(
                "System configuration has been modified. Save? [yes/no]: "
            )
            if answer.lower().startswith("y"):
                self.device.startup = deepcopy(self.device.running)
        if (await self.terminal.ask("Proceed with reload? [confirm]")).lower() in ("", "y"):
            self.device.boot()


def known(word: str, vocabulary: str) -> bool:
    """Whether a word, whole or abbreviated, is of the vocabulary."""
    return any(one.startswith(word) for one in vocabulary.split())


def interface_name(given: str) -> str:
    """The whole name of an interface that may be abbreviated: ``gi2/1`` is ``GigabitEthernet2/1``."""
    if not (found := re.fullmatch(r"([A-Za-z-]+)\s*([\d/]+)", given.strip())):
        return given.strip()
    kinds = ("GigabitEthernet", "TenGigabitEthernet", "Port-channel", "Vlan", "Loopback", "Null")
    near = [kind for kind in kinds if kind.lower().startswith(found[1].lower())]
    return (near[0] if near else found[1]) + found[2]
