"""Shells written to disk for the tests that read them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from shelldock_cloudshell.reader import Reader

DEFINITION = """\
tosca_definitions_version: tosca_simple_yaml_1_0
metadata:
  template_name: Demo Box
  template_author: A. Author
  template_version: 1.0.0
  template_icon: shell-icon.png
description: >
  A box
  for demonstrations
imports:
  - cloudshell_standard: cloudshell_resource_standard_2_0_3.yaml
node_types:
  vendor.Demo Box:
    derived_from: cloudshell.nodes.GenericResource
    properties:
      speed:
        type: integer
        default: 10
        constraints:
          - valid_values: [10, 100]
    capabilities:
      concurrent_execution:
        type: cloudshell.capabilities.SupportConcurrentCommands
    artifacts:
      driver:
        file: DemoBoxDriver.zip
        type: tosca.artifacts.File
"""

METADATA = """\
<Driver Name="DemoBoxDriver" MainClass="driver.DemoBoxDriver" Version="1.2.0" Description="" PythonVersion="3">
  <Layout>
    <Category Name="Hidden Commands"><Command Name="keep_alive" EnableCancellation="true"/></Category>
    <Command Name="ping" DisplayName="Ping"><Parameters>
      <Parameter Name="count" Type="Lookup" AllowedValues="1,5" DefaultValue="1" Mandatory="False"/>
    </Parameters></Command>
  </Layout>
</Driver>
"""

DRIVER = """\
class DemoBoxDriver:
    def initialize(self, context): ...
    def cleanup(self): ...
    def ping(self, context, count): ...
    def keep_alive(self, context, cancellation_context): ...
    def get_inventory(self, context): ...
"""

META = "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 0.1.0\nCreated-By: x\nEntry-Definitions: shell-definition.yaml"

Write = Callable[..., Path]
Pack = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files, by name, into a new folder; answers the folder."""

    def write(files: dict[str, str | bytes], name: str = "shell") -> Path:
        folder = tmp_path / name
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        return folder

    return write


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Writes a zip archive of members, by name; answers its path."""

    def pack(files: dict[str, str | bytes], name: str = "package.zip") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file, content in files.items():
                archive.writestr(file, content)
        return path

    return pack


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Reads shells, with a cache of its own."""
    return Reader(tmp_path / "cache")
