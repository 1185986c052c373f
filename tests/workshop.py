"""Shells written for a test, and the journal that their drivers keep."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable
from pathlib import Path

import psutil

from shelldock import AsyncHost, Sandbox, Target
from shelldock.model import Kind

DEFINITION = """\
tosca_definitions_version: tosca_simple_yaml_1_0
metadata:
  template_name: {name}
  template_author: Shelldock
  template_version: 1.0.0
  template_icon: icon.png
imports:
  - cloudshell_standard: cloudshell_resource_standard_2_0_3.yaml
node_types:
  vendor.{name}:
    derived_from: cloudshell.nodes.GenericResource
    capabilities:
      {capability}
    artifacts:
      driver: {{file: {name}Driver.zip, type: tosca.artifacts.File}}
"""

METADATA = """\
<Driver Name="{name}Driver" MainClass="driver.Driver" Version="1.0.0" Description="" PythonVersion="3">
  <Layout>{commands}</Layout>
</Driver>
"""

DRIVER = """\
import os
import time

def note(event):
    line = "%s %d %s\\n" % (time.monotonic(), os.getpid(), event)
    journal = os.open({journal!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(journal, line.encode())
    os.close(journal)

class Driver:
    def __init__(self):
        note("construct")

    def initialize(self, context):
        note("initialize " + context.resource.name)

    def cleanup(self):
        note("cleanup")

    def pid(self, context):
        return os.getpid()

    def work(self, context, label="", seconds="0"):
        note("begin " + label)
        time.sleep(float(seconds))
        note("end " + label)
        return label
{more}
"""


class Journal:
    """What a driver noted: lines of (monotonic seconds, process id, event)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[tuple[float, int, str]]:
        """Every note, in the order in which it was made."""
        if not self.path.exists():
            return []
        found = [line.split(" ", 2) for line in self.path.read_text().splitlines()]
        return [(float(when), int(pid), event) for when, pid, event in found]

    def events(self) -> list[str]:
        """Every note's text."""
        return [event for _, _, event in self.lines()]

    def pids(self) -> set[int]:
        """Every process that made a note."""
        return {pid for _, pid, _ in self.lines()}


class Workshop:
    """Writes shells for tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(folder / "journal")

    def shell(
        self,
        name: str = "Box",
        more: str = "",
        *,
        source: str | None = None,
        requirements: str | None = None,
        concurrent: bool = False,
        commands: str = "",
    ) -> Path:
        """A project folder with a driver that keeps the journal; ``more`` is added to its class."""
        project = self.folder / name
        (project / "TOSCA-Metadata").mkdir(parents=True, exist_ok=True)
        (project / "src").mkdir(exist_ok=True)
        (project / "TOSCA-Metadata" / "TOSCA.meta").write_text(
            "TOSCA-Meta-File-Version: 1.0\nEntry-Definitions: shell-definition.yaml"
        )
        kind = "SupportConcurrentCommands" if concurrent else "AutoDiscovery"
        capability = f"one: {{type: cloudshell.capabilities.{kind}}}"
        (project / "shell-definition.yaml").write_text(
            DEFINITION.format(name=name, capability=capability)
        )
        (project / "src" / "drivermetadata.xml").write_text(
            METADATA.format(name=name, commands=commands)
        )
        if source is None:
            added = textwrap.indent(textwrap.dedent(more), "    ")
            source = DRIVER.format(journal=str(self.journal.path), more=added)
        (project / "src" / "driver.py").write_text(source)
        if requirements is not None:
            (project / "src" / "requirements.txt").write_text(requirements)
        return project


def target(
    host: AsyncHost, shell: Path, name: str = "box", *, kind: Kind = "resource", sandbox: str = ""
) -> Target:
    """Something that the shell drives."""
    return host.target(shell, name, kind=kind, sandbox=Sandbox(id=sandbox) if sandbox else None)


def alive(pids: Iterable[int]) -> set[int]:
    """Those of the processes that still run; one that ended and was not fetched by its parent does not."""
    running = set()
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                running.add(pid)
        except psutil.NoSuchProcess:
            continue
    return running


def clean_environ(home: Path) -> dict[str, str]:
    """Environment variables for a process that shall use ``home`` and no settings of the user's."""
    return {
        name: text for name, text in os.environ.items() if not name.startswith("SHELLDOCK_")
    } | {"SHELLDOCK_HOME": str(home)}
