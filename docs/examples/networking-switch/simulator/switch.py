"""What the simulated switch is: a Catalyst 4506-E with two line cards, and the configurations that it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address

IMAGE = "flash:/cat4500e-universalk9.15.2.4.bin"
VERSION = "15.2(4)E10"


@dataclass(frozen=True)
class Interface:
    """A port, or a logical interface; ``speed`` is in Mbit/s, ``index`` that of the interface table."""

    name: str
    index: int
    speed: int = 1000
    physical: bool = True
    neighbour: tuple[str, str] | None = None
    """Name and port of the device at the other end."""

    @property
    def short(self) -> str:
        """The name as tables print it: ``Gi2/1``."""
        kind, where = re.fullmatch(r"(\D+)(.*)", self.name).groups()  # type: ignore[union-attr]
        known = {"GigabitEthernet": "Gi", "TenGigabitEthernet": "Te", "Port-channel": "Po"}
        return known.get(kind, kind[:2]) + where

    @property
    def mac(self) -> bytes:
        """Its hardware address."""
        return bytes.fromhex("0018baaa10") + bytes([self.index])


@dataclass(frozen=True)
class Card:
    """A module in a slot of the chassis; ``vendor_type`` is the last part of its type's object identifier."""

    slot: int
    model: str
    description: str
    serial: str
    vendor_type: int
    ports: tuple[Interface, ...]


def ports(
    kind: str, slot: int, numbers: range, first_index: int, speed: int = 1000
) -> list[Interface]:
    """The ports of one kind on one card, with interface indexes from ``first_index``."""
    return [
        Interface(f"{kind}{slot}/{number}", first_index + at, speed)
        for at, number in enumerate(numbers)
    ]


UPLINK = Interface(
    "TenGigabitEthernet1/1", 2, 10_000, neighbour=("core-1.lab", "TenGigabitEthernet3/4")
)
CARDS = (
    Card(
        1,
        "WS-X4013+10GE",
        "Supervisor II+10GE 10GE (X2), 1000BaseX (SFP) with 6 ports",
        "JAE1140ZY2V",
        40,
        (
            UPLINK,
            *ports("TenGigabitEthernet", 1, range(2, 3), 3, 10_000),
            *ports("GigabitEthernet", 1, range(3, 7), 4),
        ),
    ),
    Card(
        2,
        "WS-X4506-GB-T",
        "10/100/1000BaseT (RJ45)+V, 1000BaseX (SFP) with 6 ports",
        "JAE1102PQ7K",
        32,
        tuple(ports("GigabitEthernet", 2, range(1, 7), 8)),
    ),
)
PORT_CHANNEL = Interface("Port-channel1", 20, 2000, physical=False)
MEMBERS = ("GigabitEthernet1/3", "GigabitEthernet1/4")
VIRTUAL = (
    PORT_CHANNEL,
    Interface("Vlan1", 21, 1000, physical=False),
    Interface("Loopback0", 22, 8000, physical=False),
    Interface("Null0", 1, 10_000, physical=False),
)
INTERFACES = tuple(port for card in CARDS for port in card.ports) + VIRTUAL

DESCRIPTION = (
    "Cisco IOS Software, Catalyst 4500 L3 Switch  Software (cat4500e-UNIVERSALK9-M), "
    f"Version {VERSION}, RELEASE SOFTWARE (fc3)\n"
    "Technical Support: http://www.cisco.com/techsupport\n"
    "Copyright (c) 1986-2020 by Cisco Systems, Inc."
)


@dataclass
class Configuration:
    """A running or startup configuration: global lines, and sections with lines of their own."""

    lines: list[str] = field(default_factory=list)
    sections: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Configuration:
        """Read what ``text()`` wrote."""
        made = cls()
        section: list[str] | None = None
        for line in text.splitlines():
            if line.startswith(" ") and section is not None:
                section.append(line.strip())
            elif is_section(line):
                section = made.sections.setdefault(line.strip(), [])
            elif line.strip() not in ("", "!", "end") and not line.startswith(
                ("Building", "Current")
            ):
                section = None
                made.lines.append(line.strip())
        return made

    def text(self) -> str:
        """The whole, as ``show running-config`` prints it."""
        blocks = ["\n".join(self.lines)]
        blocks += [self.section(name) for name in self.sections]
        return "\n!\n".join(["!", *blocks, "end"]).removeprefix("!\n!\n") + "\n"

    def section(self, name: str) -> str:
        """One section, as ``show running-config interface`` prints it."""
        return "\n".join([name, *(f" {line}" for line in self.sections[name])])

    def enter(self, name: str) -> list[str]:
        """The lines of a section, which is made if it is not there."""
        return self.sections.setdefault(name, [])

    def merge(self, other: Configuration) -> None:
        """Add what another configuration has, as copying to the running configuration does."""
        for line in other.lines:
            put(self.lines, line)
        for name, lines in other.sections.items():
            for line in lines:
                put(self.enter(name), line)

    def address(self, name: str) -> IPv4Address | None:
        """The address of an interface, where it has one."""
        for line in self.sections.get(f"interface {name}", ()):
            if found := re.match(r"ip address (\S+) \S+", line):
                return IPv4Address(found[1])
        return None

    def up(self, name: str) -> bool:
        """Whether the interface is not shut down."""
        return "shutdown" not in self.sections.get(f"interface {name}", ())


def is_section(line: str) -> bool:
    """Whether a line of configuration opens a section."""
    return re.match(r"(interface|vlan|line) ", line) is not None


# How many words of a line name the setting, the rest being its value: another value replaces the line.
SETTINGS = {
    "hostname": 1,
    "description": 1,
    "switchport mode": 2,
    "switchport access vlan": 3,
    "switchport trunk allowed vlan": 4,
    "ip address": 2,
    "name": 1,
    "state": 1,
    "speed": 1,
    "duplex": 1,
    "mtu": 1,
}


def put(lines: list[str], line: str) -> None:
    """Set a line: in place of an older value of the same setting, else at the end."""
    if line in lines:
        return
    words = max((n for key, n in SETTINGS.items() if line.startswith(f"{key} ")), default=0)
    setting = line.split()[:words]
    for at, old in enumerate(lines):
        if words and old.split()[:words] == setting:
            lines[at] = line
            return
    lines.append(line)


def take(lines: list[str], start: str) -> bool:
    """Remove the lines that start with these words; tells whether there were any."""
    words = start.split()
    kept = [line for line in lines if line.split()[: len(words)] != words]
    changed = len(kept) != len(lines)
    lines[:] = kept
    return changed


def factory() -> Configuration:
    """What the switch starts with."""
    made = Configuration(
        lines=[
            "version 15.2",
            "service timestamps log datetime msec",
            "hostname access-1",
            f"boot system {IMAGE}",
            "ip ssh version 2",
            "ip default-gateway 10.20.0.254",
        ]
    )
    for interface in INTERFACES:
        lines = made.enter(f"interface {interface.name}")
        if interface.name in MEMBERS:
            lines.append("channel-group 1 mode active")
    made.enter(f"interface {UPLINK.name}").append("description uplink to core-1")
    made.enter("interface GigabitEthernet1/6").extend(
        ["no switchport", "ip address 10.30.0.1 255.255.255.252"]
    )
    made.enter("interface Vlan1").append("ip address 10.20.0.1 255.255.255.0")
    made.enter("interface Loopback0").extend(["ip address 10.99.0.1 255.255.255.255", "shutdown"])
    del made.sections["interface Null0"]
    made.enter("line vty 0 15").extend(["login local", "transport input ssh"])
    return made
