"""What CloudShell's shell standards give every shell: family, kind and attributes (decision 0003)."""

from __future__ import annotations

from typing import Final

from shelldock.model import Attribute, AttributeType, Kind, Value

SELECTOR: Final = "Execution Server Selector"
"""The one attribute without a name space."""


class Standard(Value, frozen=True, kw_only=True):
    """One base type of the standards: names of attributes, those of its family apart from its own."""

    family: str
    kind: Kind = "resource"
    of_family: tuple[str, ...] = ()
    """Called ``<family>.<name>``."""
    of_model: tuple[str, ...] = ()
    """Called ``<model>.<name>``."""


def standard(base: str) -> Standard:
    """The standard of a base type, ``Switch`` or ``cloudshell.nodes.Switch``.

    One that is not known counts as a generic resource, of a family called as all known ones are: ``CS_<base>``;
    a name that ends in ``Service`` is that of a service.
    """
    name = base.rpartition(".")[2]
    if name in _STANDARDS:
        return _STANDARDS[name]
    if name.endswith("Service"):
        return Standard(family=f"CS_{name}", kind="service")
    return Standard(family=f"CS_{name}", of_family=_IDENTITY, of_model=_SHELL)


def attributes(found: Standard, model: str, *, plain_snmp: bool = False) -> list[Attribute]:
    """The attributes that every shell of this standard has, by full name, with defaults as drivers see them.

    :param plain_snmp: SNMP communities and the SNMP password are text: standards older than 2017 have them so.
    """
    names = [(f"{found.family}.{name}", name) for name in found.of_family]
    names += [(f"{model}.{name}", name) for name in found.of_model]
    made = [_attribute(full, name, name in found.of_family, plain_snmp) for full, name in names]
    if found.kind != "service":
        made.append(Attribute(name=SELECTOR, tags=("configuration",)))
    return made


def plain_snmp(imported: str) -> bool:
    """Whether a shell that imports this standard's file is from before SNMP communities became passwords."""
    name, _, version = imported.removesuffix(".yaml").partition("_standard_")
    first = version.partition("_")[0]
    since = _SNMP_SECRET_SINCE.get(name.removeprefix("cloudshell_"), 0)
    return first.isdigit() and int(first) < since


def default(type: AttributeType, given: object = None) -> str:
    """The text that a driver sees for a declared default; without one, that of the type (P8)."""
    if given is None or given == "":
        return {"integer": "0", "float": "0", "boolean": "False"}.get(type, "")
    if type == "boolean":
        return str(truth(given))
    if isinstance(given, list | tuple):
        return ",".join(str(one) for one in given)
    return str(given)


def truth(given: object) -> bool:
    """Whether a declared value is some spelling of true."""
    return str(given).strip().casefold() in ("true", "yes", "on", "1")


def _attribute(full: str, name: str, of_family: bool, plain_snmp: bool) -> Attribute:
    type_, given, choices = _TYPES.get(name, ("string", None, ()))
    if plain_snmp and name in _SNMP_SECRETS:
        type_ = "string"
    tags = (
        ("setting", "abstract_filter", "read_only")
        if of_family or name in _TOLD
        else ("configuration",)
    )
    return Attribute(
        name=full, type=type_, default=default(type_, given), choices=choices, tags=tags
    )


_SNMP_SECRETS: Final = frozenset(
    {"SNMP Read Community", "SNMP Write Community", "SNMP V3 Password"}
)
_SNMP_SECRET_SINCE: Final = {"networking": 5, "firewall": 3, "resource": 2, "pdu": 2, "compute": 2}

_TYPES: Final[dict[str, tuple[AttributeType, object, tuple[str, ...]]]] = {
    "Password": ("password", None, ()),
    "Enable Password": ("password", None, ()),
    "Console Password": ("password", None, ()),
    "Backup Password": ("password", None, ()),
    "SNMP Read Community": ("password", None, ()),
    "SNMP Write Community": ("password", None, ()),
    "SNMP V3 Password": ("password", None, ()),
    # Not a password in the standards, and cloudshell-shell-standards reads it without decrypting it.
    "SNMP V3 Private Key": ("string", None, ()),
    "SNMP Version": ("string", None, ("v1", "v2c", "v3")),
    "SNMP V3 Authentication Protocol": (
        "string",
        "No Authentication Protocol",
        ("No Authentication Protocol", "MD5", "SHA"),
    ),
    "SNMP V3 Privacy Protocol": (
        "string",
        "No Privacy Protocol",
        ("No Privacy Protocol", "DES", "3DES-EDE", "AES-128", "AES-192", "AES-256"),
    ),
    "Enable SNMP": ("boolean", True, ()),
    "Disable SNMP": ("boolean", False, ()),
    "Power Management": ("boolean", True, ()),
    "Sessions Concurrency Limit": ("integer", 1, ()),
    "Console Port": ("integer", None, ()),
    "CLI TCP Port": ("integer", None, ()),
    "CLI Connection Type": ("string", "Auto", ("Auto", "Console", "SSH", "Telnet", "TCP")),
    "Backup Type": ("string", "File System", ("File System", "FTP", "TFTP", "SCP")),
}

_TOLD: Final = frozenset(
    {
        "Contact Name",
        "System Name",
        "Serial Number",
        "Server Description",
        "Public IP",
        "OS Architecture",
        "OS Type",
        "OS Distribution",
        "OS Version",
        "Storage Capacity",
    }
)
"""Attributes of models that drivers fill, not users."""

_IDENTITY: Final = ("Vendor", "Model", "Location", "System Name", "Contact Name", "Model Name")
_DEVICE: Final = (*_IDENTITY, "OS Version")
_SNMP: Final = (
    "SNMP Read Community",
    "SNMP Write Community",
    "SNMP V3 User",
    "SNMP V3 Password",
    "SNMP V3 Private Key",
    "SNMP Version",
    "SNMP V3 Authentication Protocol",
    "SNMP V3 Privacy Protocol",
    "Enable SNMP",
    "Disable SNMP",
)
_CONSOLE: Final = (
    "Console Server IP Address",
    "Console User",
    "Console Port",
    "Console Password",
    "CLI Connection Type",
    "CLI TCP Port",
)
_BACKUP: Final = ("Backup Location", "Backup Type", "Backup User", "Backup Password")
_SHELL: Final = (
    "User",
    "Password",
    "Enable Password",
    "Power Management",
    "Sessions Concurrency Limit",
    *_SNMP,
    *_CONSOLE,
    *_BACKUP,
)
_NETWORK: Final = (*_SHELL, "VRF Management Name")
_OS: Final = ("OS Architecture", "OS Type", "OS Distribution", "OS Version", "Storage Capacity")
_CONTROLLER: Final = ("User", "Password", "Controller TCP Port", "Scheme")

_STANDARDS: Final = {
    "GenericResource": Standard(family="CS_GenericResource", of_family=_IDENTITY, of_model=_SHELL),
    "Switch": Standard(family="CS_Switch", of_family=_DEVICE, of_model=_NETWORK),
    "Router": Standard(family="CS_Router", of_family=_DEVICE, of_model=_NETWORK),
    "WirelessController": Standard(
        family="CS_WirelessController", of_family=_DEVICE, of_model=_NETWORK
    ),
    "Firewall": Standard(family="CS_Firewall", of_family=_DEVICE, of_model=_NETWORK),
    "LoadBalancer": Standard(family="CS_LoadBalancer", of_family=_DEVICE, of_model=_SHELL),
    "Compute": Standard(
        family="CS_ComputeServer",
        of_family=("Vendor", "Model", "Location", "Model Name"),
        of_model=(*_SHELL, *_OS, "System Name", "Contact Name"),
    ),
    "PDU": Standard(
        family="CS_PDU",
        of_family=("Vendor", "Model", "Location", "System Name", "OS Version", "Model Name"),
        of_model=(*_SHELL, "Contact Name"),
    ),
    "TrafficGeneratorChassis": Standard(
        family="CS_TrafficGeneratorChassis",
        of_family=("Vendor", "Version", "Model Name"),
        of_model=(
            "User",
            "Password",
            "Controller Address",
            "Controller TCP Port",
            "Client Install Path",
            "Power Management",
            "Serial Number",
            "Server Description",
        ),
    ),
    "TrafficGeneratorController": Standard(
        family="CS_TrafficGeneratorController",
        kind="service",
        of_model=(
            "Address",
            "User",
            "Password",
            "Controller TCP Port",
            "Client Install Path",
            "Test Files Location",
        ),
    ),
    "DeployedApp": Standard(
        family="CS_GenericAppFamily", kind="app", of_model=("User", "Password", "Public IP")
    ),
    "CustomCloudProvider": Standard(
        family="CS_CloudProvider",
        of_model=("Region", "Networking type", "Networks in use", "VLAN Type"),
    ),
    "SDNController": Standard(
        family="CS_SDNController",
        of_family=("Model Name",),
        of_model=(*_CONTROLLER, "Enable Full Trunk Ports", "Disable Full Trunk Ports"),
    ),
    "CiscoACIController": Standard(
        family="CS_CiscoACIController", of_family=("Model Name",), of_model=_CONTROLLER
    ),
    "CustomService": Standard(family="CS_CustomService", kind="service"),
    "AdminOnlyCustomService": Standard(family="CS_AdminOnlyCustomService", kind="service"),
    "CloudService": Standard(
        family="CS_CloudService",
        kind="service",
        of_family=("Address", "User", "Password", "Cloud Provider"),
    ),
}
