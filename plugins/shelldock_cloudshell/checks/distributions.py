"""Which imports a requirement provides, as far as its name tells: nothing is downloaded or installed to know."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from packaging.utils import canonicalize_name

_PROVIDES: Final = {
    "attrs": ("attr", "attrs"),
    "beautifulsoup4": ("bs4",),
    "dnspython": ("dns",),
    "cloudshell-automation-api": ("cloudshell.api", "cloudshell.helpers"),
    "cloudshell-firewall-panos": ("cloudshell.firewall.paloalto",),
    "cloudshell-networking-devices": ("cloudshell.devices",),
    "cloudshell-orch-core": ("cloudshell.workflow",),
    "cloudshell-power-lib": ("cloudshell.power",),
    "cloudshell-shell-connectivity-flow": ("cloudshell.shell.flows.connectivity",),
    "cloudshell-shell-firewall-standard": ("cloudshell.shell.standards.firewall",),
    "cloudshell-shell-networking-standard": ("cloudshell.shell.standards.networking",),
    "cloudshell-shell-pdu-standard": ("cloudshell.shell.standards.pdu",),
    "gitpython": ("git",),
    "mysqlclient": ("MySQLdb",),
    "opencv-python": ("cv2",),
    "pillow": ("PIL",),
    "protobuf": ("google.protobuf",),
    "psycopg2-binary": ("psycopg2",),
    "pycryptodome": ("Crypto",),
    "pycryptodomex": ("Cryptodome",),
    "pyjwt": ("jwt",),
    "pyopenssl": ("OpenSSL",),
    "pyserial": ("serial",),
    "pysnmp-lextudio": ("pysnmp",),
    "python-dateutil": ("dateutil",),
    "python-docx": ("docx",),
    "pyvmomi": ("pyVmomi", "pyVim", "vmware", "vmomi"),
    "pywinrm": ("winrm",),
    "pyyaml": ("yaml",),
    "pyzmq": ("zmq",),
    "scikit-learn": ("sklearn",),
    "setuptools": ("setuptools", "pkg_resources"),
    "suds-py3": ("suds",),
    "suds-jurko": ("suds",),
}
"""Where the name does not tell, or tells too much."""

_DROPPED: Final = {
    "asynchat": "3.12",
    "asyncore": "3.12",
    "distutils": "3.12",
    "imp": "3.12",
    "smtpd": "3.12",
    "cgi": "3.13",
    "cgitb": "3.13",
    "chunk": "3.13",
    "crypt": "3.13",
    "imghdr": "3.13",
    "lib2to3": "3.13",
    "mailcap": "3.13",
    "nntplib": "3.13",
    "pipes": "3.13",
    "sndhdr": "3.13",
    "spwd": "3.13",
    "telnetlib": "3.13",
    "uu": "3.13",
    "xdrlib": "3.13",
}
"""Modules of the standard library, with the Python that is the first without them."""

CLOUDSHELL: Final = "cloudshell"
"""The package that many distributions fill, each a part."""

_STANDARD: Final = sys.stdlib_module_names | set(_DROPPED)


def is_standard(module: str) -> bool:
    """Whether the standard library of a Python that drivers run on has it."""
    return module.partition(".")[0] in _STANDARD


def dropped(module: str) -> str:
    """The first Python without this module of the standard library; empty where all have it."""
    return _DROPPED.get(module.partition(".")[0], "")


def wanted(module: str) -> str:
    """What a distribution would be asked for to have ``module``: most of the name is inside of it."""
    return ".".join(module.split(".")[: 3 if module.startswith(f"{CLOUDSHELL}.") else 1])


def covered(module: str, requirements: Iterable[str]) -> bool:
    """Whether the name of one of the requirements promises ``module`` (dotted)."""
    return any(provides(one, module) for one in requirements)


def provides(requirement: str, module: str) -> bool:
    """Whether the name of a requirement promises ``module`` (dotted)."""
    name = canonicalize_name(requirement)
    if name in _PROVIDES:
        return any(_related(module, one) for one in _PROVIDES[name])
    if name.startswith(f"{CLOUDSHELL}-"):
        return _related(module, name.replace("-", "."))
    top = canonicalize_name(module.partition(".")[0])
    bare = name.removeprefix("python-").removesuffix("-python")
    return top in (name, bare, bare.removeprefix("py")) or name.startswith(f"{top}-")


def _related(module: str, provided: str) -> bool:
    """Whether one is in the other: ``import cloudshell.shell`` asks for a package that several fill."""
    return f"{module}.".startswith(f"{provided}.") or f"{provided}.".startswith(f"{module}.")
