"""What the ``show`` commands of the simulated switch print."""

from __future__ import annotations

import re

from switch import CARDS, DESCRIPTION, INTERFACES, Configuration

FILE_SYSTEMS = """\
File Systems:

     Size(b)     Free(b)      Type  Flags  Prefixes
*  128450560    51529276     flash     rw   flash:
           -           -    opaque     rw   system:
      524280      521104     nvram     rw   nvram:
           -           -   network     rw   tftp:
           -           -   network     rw   ftp:
           -           -   network     rw   scp:
"""


def version(hostname: str, image: str) -> str:
    """``show version``."""
    return (
        f"{DESCRIPTION}\n\nROM: 15.0(1r)SG10\n{hostname} uptime is 1 day\n"
        "System returned to ROM by power-on\n"
        f'System image file is "{image}"\n\n'
        "cisco WS-C4506-E (MPC8548) processor (revision 8) with 524288K bytes of memory.\n"
        "Processor board ID FOX1326G6XJ\n"
        f"{sum(port.speed == 1000 for port in INTERFACES if port.physical)} Gigabit Ethernet interfaces\n"
        f"{sum(port.speed == 10_000 for port in INTERFACES if port.physical)} "
        "Ten Gigabit Ethernet interfaces\n"
        "511K bytes of non-volatile configuration memory.\n\n"
        "Configuration register is 0x2102\n"
    )


def inventory() -> str:
    """``show inventory``."""
    parts = [
        (
            "Switch System",
            "Cisco Systems, Inc. WS-C4506-E 6 slot switch",
            "WS-C4506-E",
            "FOX1326G6XJ",
        )
    ]
    parts += [
        (f"Linecard(slot {card.slot})", card.description, card.model, card.serial) for card in CARDS
    ]
    return "\n".join(
        f'NAME: "{name}", DESCR: "{text}"\nPID: {model:<18}, VID: V03 , SN: {serial}\n'
        for name, text, model, serial in parts
    )


def interfaces(running: Configuration) -> str:
    """``show ip interface brief``."""
    lines = ["Interface              IP-Address      OK? Method Status                Protocol"]
    for interface in INTERFACES[:-1]:
        address = running.address(interface.name)
        status = "up" if running.up(interface.name) else "administratively down"
        lines.append(
            f"{interface.name:<22} {address or 'unassigned'!s:<15} YES "
            f"{'NVRAM ' if address else 'unset '} {status:<21} {'up' if status == 'up' else 'down'}"
        )
    return "\n".join(lines) + "\n"


def vlans(running: Configuration) -> str:
    """``show vlan brief``: the default VLAN and those that were made, with their access ports."""
    members: dict[int, list[str]] = {1: []}
    for name in running.sections:
        if found := re.fullmatch(r"vlan (\d+)", name):
            members[int(found[1])] = []
    for interface in INTERFACES:
        if interface.physical:
            lines = running.sections.get(f"interface {interface.name}", ())
            access = [line for line in lines if line.startswith("switchport access vlan ")]
            members.setdefault(int(access[0].split()[-1]) if access else 1, []).append(
                interface.short
            )
    lines = [
        "VLAN Name                             Status    Ports",
        "---- -------------------------------- --------- -------------------------------",
    ]
    lines += [
        f"{number:<4} {'default' if number == 1 else f'VLAN{number:04}':<32} active    {', '.join(ports)}"
        for number, ports in sorted(members.items())
    ]
    return "\n".join(lines) + "\n"
