"""The switch as SNMP shows it, in the form that snmpsim plays: one object a line, ``oid|type|value``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

from switch import (
    CARDS,
    DESCRIPTION,
    INTERFACES,
    MEMBERS,
    PORT_CHANNEL,
    VERSION,
    Interface,
    factory,
)

Row = tuple[str, str, object]
INTEGER, TEXT, HEX, OID, TICKS, GAUGE = "2", "4", "4x", "6", "67", "66"

SYSTEM = "1.3.6.1.2.1.1"
IF_ENTRY = "1.3.6.1.2.1.2.2.1"
IF_X_ENTRY = "1.3.6.1.2.1.31.1.1.1"
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
ENTITY_ALIAS = "1.3.6.1.2.1.47.1.3.2.1.2"
IP_ADDRESS_IF = "1.3.6.1.2.1.4.20.1.2"
ETHER_STATS = "1.3.6.1.2.1.10.7.2.1"
AUTO_NEGOTIATION = "1.3.6.1.2.1.26.5.1.1.1"
LAG_MEMBER = "1.2.840.10006.300.43.1.2.1.1.13"
LLDP_LOCAL = "1.0.8802.1.1.2.1.3.7.1"
LLDP_REMOTE = "1.0.8802.1.1.2.1.4.1.1"
VENDOR_TYPE = "1.3.6.1.4.1.9.12.3.1"
CATALYST_4506E = "1.3.6.1.4.1.9.1.875"

CONTAINER, POWER_SUPPLY, FAN, MODULE, PORT, CHASSIS = 5, 6, 7, 9, 10, 3
ETHERNET, PROPRIETARY_VIRTUAL, LOOPBACK, OTHER = 6, 53, 24, 1
INTERFACE_NAME = 5


def write(contact: str = "noc@lab.example", location: str = "Lab 2, rack 14") -> str:
    """The whole recording, sorted as the simulator needs it."""
    rows = [*system(contact, location), *interfaces(), *entities()]
    return "".join(f"{oid}|{kind}|{value}\n" for oid, kind, value in sorted(rows, key=in_order))


def in_order(row: Row) -> tuple[int, ...]:
    """The place of a row: object identifiers sort by number, not by text."""
    return tuple(map(int, row[0].split(".")))


def text(oid: str, value: str) -> Row:
    """A string, in hexadecimal where a line of the recording could not hold it."""
    if value.isprintable() and "|" not in value:
        return oid, TEXT, value
    return oid, HEX, value.encode().hex()


def system(contact: str, location: str) -> Iterator[Row]:
    """The system group: who made it, what it runs, where it stands."""
    hostname = next(line.split()[1] for line in factory().lines if line.startswith("hostname "))
    yield text(f"{SYSTEM}.1.0", DESCRIPTION)
    yield f"{SYSTEM}.2.0", OID, CATALYST_4506E
    yield f"{SYSTEM}.3.0", TICKS, 8_640_000
    yield text(f"{SYSTEM}.4.0", contact)
    yield text(f"{SYSTEM}.5.0", f"{hostname}.lab.example")
    yield text(f"{SYSTEM}.6.0", location)
    yield f"{SYSTEM}.7.0", INTEGER, 6


def interfaces() -> Iterator[Row]:
    """The interface tables, with addresses, duplex, aggregation and neighbours."""
    configuration = factory()
    yield "1.3.6.1.2.1.2.1.0", INTEGER, len(INTERFACES)
    for interface in INTERFACES:
        yield from interface_rows(interface, up=configuration.up(interface.name))
        if address := configuration.address(interface.name):
            yield from address_rows(interface, address)
        if interface.name in MEMBERS:
            yield f"{LAG_MEMBER}.{interface.index}", INTEGER, PORT_CHANNEL.index
        if interface.neighbour:
            device, port = interface.neighbour
            yield f"{LLDP_LOCAL}.2.{interface.index}", INTEGER, INTERFACE_NAME
            yield text(f"{LLDP_LOCAL}.3.{interface.index}", interface.short)
            yield text(f"{LLDP_LOCAL}.4.{interface.index}", interface.name)
            yield text(f"{LLDP_REMOTE}.8.0.{interface.index}.1", port)
            yield text(f"{LLDP_REMOTE}.9.0.{interface.index}.1", device)


def interface_rows(interface: Interface, up: bool) -> Iterator[Row]:
    """The rows that every interface has, and those of Ethernet ports."""
    at = interface.index
    kind = ETHERNET if interface.physical else PROPRIETARY_VIRTUAL
    kind = {"Loopback0": LOOPBACK, "Null0": OTHER}.get(interface.name, kind)
    alias = next(
        (
            line.removeprefix("description ")
            for line in factory().sections.get(f"interface {interface.name}", ())
            if line.startswith("description ")
        ),
        "",
    )
    yield f"{IF_ENTRY}.1.{at}", INTEGER, at
    yield text(f"{IF_ENTRY}.2.{at}", interface.name)
    yield f"{IF_ENTRY}.3.{at}", INTEGER, kind
    yield f"{IF_ENTRY}.4.{at}", INTEGER, 1500
    yield f"{IF_ENTRY}.5.{at}", GAUGE, min(interface.speed * 1_000_000, 2**32 - 1)
    yield f"{IF_ENTRY}.6.{at}", HEX, interface.mac.hex()
    yield f"{IF_ENTRY}.7.{at}", INTEGER, 1 if up else 2
    yield f"{IF_ENTRY}.8.{at}", INTEGER, 1 if up else 2
    yield text(f"{IF_X_ENTRY}.1.{at}", interface.short)
    yield f"{IF_X_ENTRY}.15.{at}", GAUGE, interface.speed
    yield text(f"{IF_X_ENTRY}.18.{at}", alias)
    if interface.physical:
        yield f"{ETHER_STATS}.1.{at}", INTEGER, at
        yield f"{ETHER_STATS}.19.{at}", INTEGER, 3
        yield f"{AUTO_NEGOTIATION}.{at}.1", INTEGER, 1


def address_rows(interface: Interface, address: IPv4Address) -> Iterator[Row]:
    """The row of the address table."""
    yield f"{IP_ADDRESS_IF}.{address}", INTEGER, interface.index


def entities() -> Iterator[Row]:
    """The entity table: the chassis with its slots, cards, ports, power supplies and fans."""
    yield from entity(
        1,
        "Switch System",
        "Cisco Systems, Inc. WS-C4506-E 6 slot switch",
        "3.659",
        0,
        CHASSIS,
        -1,
        model="WS-C4506-E",
        serial="FOX1326G6XJ",
        software=VERSION,
        revision="2.0",
    )
    for slot in range(1, 7):
        yield from entity(
            1 + slot, f"Slot {slot}", f"Container of line card {slot}", "5.1", 1, CONTAINER, slot
        )
    for card in CARDS:
        yield from entity(
            card.slot * 1000,
            f"Linecard(slot {card.slot})",
            card.description,
            f"9.35.{card.vendor_type}",
            1 + card.slot,
            MODULE,
            1,
            model=card.model,
            serial=card.serial,
            software=VERSION,
            revision="3.1",
        )
        for position, port in enumerate(card.ports, 1):
            at = card.slot * 1000 + position
            kind = "10.172" if port.speed == 1000 else "10.151"
            yield from entity(at, port.name, port.name, kind, card.slot * 1000, PORT, position)
            yield f"{ENTITY_ALIAS}.{at}.0", OID, f"{IF_ENTRY}.1.{port.index}"
    for bay, serial in ((1, "AZS11250NFH"), (2, "AZS11250NG0")):
        yield from entity(
            10 + bay,
            f"Power Supply Bay {bay}",
            "Container of Power Supply",
            "5.91",
            1,
            CONTAINER,
            bay,
        )
        yield from entity(
            20 + bay,
            f"Power Supply {bay}",
            "Power Supply ( AC 4200W )",
            "6.126",
            10 + bay,
            POWER_SUPPLY,
            bay,
            model="PWR-C45-4200ACV",
            serial=serial,
            revision="4.1",
        )
    yield from entity(
        30, "Fan Tray", "FanTray", "7.27", 1, FAN, 1, model="WS-X4596-E", serial="FOX1326GA2B"
    )


def entity(
    at: int,
    name: str,
    description: str,
    vendor_type: str,
    parent: int,
    kind: int,
    position: int,
    model: str = "",
    serial: str = "",
    software: str = "",
    revision: str = "",
) -> Iterable[Row]:
    """One row of the entity table."""
    return (
        text(f"{ENTITY}.2.{at}", description),
        (f"{ENTITY}.3.{at}", OID, f"{VENDOR_TYPE}.{vendor_type}"),
        (f"{ENTITY}.4.{at}", INTEGER, parent),
        (f"{ENTITY}.5.{at}", INTEGER, kind),
        (f"{ENTITY}.6.{at}", INTEGER, position),
        text(f"{ENTITY}.7.{at}", name),
        text(f"{ENTITY}.8.{at}", revision),
        text(f"{ENTITY}.10.{at}", software),
        text(f"{ENTITY}.11.{at}", serial),
        text(f"{ENTITY}.13.{at}", model),
    )
