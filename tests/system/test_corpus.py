"""Declarations of real shells that others wrote are read, each of them, or refused by name and reason."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from shelldock.errors import ShellError
from shelldock.model import Shell
from shelldock_cloudshell.checks import shelldock_check_shell
from shelldock_cloudshell.reader import Reader

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"

if not (CORPUS / "index.json").is_file():
    pytest.skip(f"the declarations of real shells are not at {CORPUS}", allow_module_level=True)

ENTRIES = json.loads((CORPUS / "index.json").read_text(encoding="utf-8"))


def entries(generation: str = "") -> list[object]:
    """The folders of the corpus, as parameters named after them."""
    found = [one["id"] for one in ENTRIES if one["generation"].startswith(generation)]
    return [pytest.param(CORPUS / folder_name(one), id=one) for one in found]


def folder_name(id: str) -> str:
    """``Repository:path/of/driver`` as the corpus spells it on disk."""
    return id.replace(":", "__").replace("/", "_")


def well_formed(folder: Path) -> bool:
    """Whether the metadata are XML at all: a template before it was filled in is not."""
    try:
        ET.parse(folder / "drivermetadata.xml")
    except ET.ParseError:
        return False
    return True


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8-sig")


def read(reader: Reader, folder: Path) -> Shell:
    shell = reader.read(folder)
    assert shell is not None
    return shell


@pytest.mark.parametrize("folder", entries())
def test_every_well_formed_shell_is_read_and_others_are_refused(
    reader: Reader, folder: Path
) -> None:
    if not well_formed(folder):
        with pytest.raises(
            ShellError, match=rf"{re.escape(folder.name)}.*not well-formed XML.* line \d+"
        ):
            reader.read(folder)
        return
    shell = read(reader, folder)
    assert shell.driver is not None
    assert shell.model
    assert shell.family
    root = ET.fromstring(text(folder, "drivermetadata.xml"))
    listed = [one.get("Name") for one in root.iter("Command")]
    assert [one.name for one in shell.driver.commands] == list(dict.fromkeys(listed))
    assert shell.driver.main_class == root.get("MainClass")
    assert shell.driver.python == root.get("PythonVersion")
    assert not shell.driver.complete  # the corpus has no code
    for command in shell.driver.commands:
        given = next(one for one in root.iter("Command") if one.get("Name") == command.name)
        inputs = dict.fromkeys(one.get("Name") for one in given.iter("Parameter"))
        assert [one.name for one in command.parameters] == list(inputs)


@pytest.mark.parametrize("folder", entries("2"))
def test_what_second_generation_shells_declare_arrives(reader: Reader, folder: Path) -> None:
    shell = read(reader, folder)
    declared = text(folder, "shell-definition.yaml")
    assert shell.generation == 2
    assert f"template_name: {shell.name}" in declared
    assert re.search(rf"^\s+vendor\..*{re.escape(shell.model)}:\s*$", declared, re.MULTILINE)
    assert shell.concurrent == ("SupportConcurrentCommands" in declared)
    assert (shell.discovery is not None) == ("cloudshell.capabilities.AutoDiscovery" in declared)
    own = [one for one in shell.attributes if one.name.startswith(f"{shell.model}.")]
    shared = [one for one in shell.attributes if one.name.startswith(f"{shell.family}.")]
    rest = {one.name for one in shell.attributes} - {one.name for one in [*own, *shared]}
    assert rest == (set() if shell.kind == "service" else {"Execution Server Selector"})


@pytest.mark.parametrize("folder", entries("2"))
def test_whatever_discovery_asks_for_is_an_attribute(reader: Reader, folder: Path) -> None:
    shell = read(reader, folder)
    asked = shell.discovery.asks if shell.discovery else ()
    assert [name for name in asked if shell.attribute(name) is None] == []


@pytest.mark.parametrize("folder", entries("1"))
def test_what_first_generation_shells_declare_arrives(reader: Reader, folder: Path) -> None:
    shell = read(reader, folder)
    assert shell.generation == 1
    assert all("." not in one.name for one in shell.attributes)
    declared = text(folder, "datamodel.xml")
    assert shell.concurrent == ('SupportsConcurrentCommands="true"' in declared)
    assert {one.name for one in shell.attributes} <= set(
        re.findall(r'AttributeInfo[^>]*? Name="([^"]+)"', declared)
    )
    assert all(one.default == "" for one in shell.attributes if one.type == "password")


ODD = {
    "Spirent-TestCenter-Controller-Shell-2G": {"duplicate-parameter"},
    "QualiSystemsLab__Power-Management": {"invalid-requirement"},
}
"""What is wrong with some, seen by reading them."""


@pytest.mark.parametrize("folder", entries())
def test_every_shell_is_checked_and_only_what_is_known_of_it_is_found_l3_d8(
    reader: Reader, folder: Path
) -> None:
    if not well_formed(folder):
        return
    shell = read(reader, folder)
    found = shelldock_check_shell(shell) or []
    rules = {one.rule for one in found} - {"missing-class"}  # the corpus has no code
    expected = set(ODD.get(folder.name, ()))
    if not text(folder, "drivermetadata.xml").count('PythonVersion="3"'):
        expected.add("python-2")
    if any(one.rule == "unpinned-requirement" for one in found):
        bare = re.findall(r"(?m)^\w[\w-]* *(?:>=[\d.]+)? *$", text(folder, "requirements.txt"))
        expected.add("unpinned-requirement")
        assert len(bare) == sum(one.rule == "unpinned-requirement" for one in found)
    assert rules == expected
    assert all(one.path.is_file() and one.line for one in found)
