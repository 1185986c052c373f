"""The sources of drivers, written for the tests that check them."""

from __future__ import annotations

from pathlib import Path

from shelldock.model import Finding
from shelldock_cloudshell.checks import shelldock_check_shell
from shelldock_cloudshell.reader import Reader

HEAD = 'Name="D" MainClass="driver.D" Version="1.0.0" Description="" PythonVersion="3"'


def metadata(commands: str = "", head: str = HEAD) -> str:
    """A metadata file whose commands begin on its third line."""
    return f"<Driver {head}>\n<Layout>\n{commands}\n</Layout>\n</Driver>\n"


def driver(methods: str = "pass", above: str = "") -> str:
    """A module whose class has methods that begin on the line after it."""
    body = "\n".join(f"    {line}" for line in methods.splitlines())
    return f"{above}class D:\n{body}\n"


def source(
    commands: str = "",
    methods: str = "pass",
    above: str = "",
    head: str = HEAD,
    requirements: str = "",
    **more: str,
) -> dict[str, str | bytes]:
    """The files of a driver; more modules by name, with ``__`` for a slash."""
    files = {f"{name.replace('__', '/')}.py": text for name, text in more.items()}
    return {
        "drivermetadata.xml": metadata(commands, head),
        "driver.py": driver(methods, above),
        "requirements.txt": requirements,
        **files,
    }


GO = '<Command Name="go" {}>{}</Command>'.format
PARAMETER = '<Parameters><Parameter Name="{}" {}/></Parameters>'.format
TAKES = "def go(self, context, {}): ...".format
STOP = 'EnableCancellation="{}"'.format
LOOKUP = "<Parameters><Parameter Name='a' Type='Lookup' {}/></Parameters>".format
META = "drivermetadata.xml"


def check(reader: Reader, folder: Path) -> list[Finding]:
    shell = reader.read(folder)
    assert shell is not None
    return shelldock_check_shell(shell) or []
