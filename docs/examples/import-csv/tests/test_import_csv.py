"""Once the plugin is installed, the command line reads tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DEFINITION = """\
tosca_definitions_version: tosca_simple_yaml_1_0
metadata: {template_name: Box, template_version: 1.0.0}
node_types:
  vendor.Box:
    derived_from: cloudshell.nodes.GenericResource
    properties:
      Ports: {type: integer, default: 4}
"""


class Home:
    """One user's place, with a shell called Box."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "Box").mkdir()
        (folder / "Box/shell-definition.yaml").write_text(DEFINITION)
        self("shell", "add", str(folder / "Box"))

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What the command line prints, when it ends with this code."""
        ended = subprocess.run(
            [str(Path(sys.executable).with_name("shelldock")), *arguments],
            env=os.environ | {"SHELLDOCK_HOME": str(self.folder / "home"), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        return ended.stderr if code else ended.stdout

    def add(self, table: str | bytes, *more: str, code: int = 0) -> str:
        """What is printed when this table is read."""
        file = self.folder / "lab.csv"
        file.write_bytes(table.encode() if isinstance(table, str) else table)
        return self("import-csv", str(file), *more, code=code)

    def names(self) -> list[str]:
        """The resources that there are."""
        return [one["name"] for one in json.loads(self("resource", "list", "--json"))]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_each_row_is_a_resource(home: Home) -> None:
    table = "name,shell,address,User,Password,Ports\nb1,Box,10.0.0.1,ann,secret,8\nb2,Box,,,,\n"
    added = json.loads(home.add(table, "--json"))
    assert [one["name"] for one in added] == home.names() == ["b1", "b2"]
    (first, *_) = json.loads(home("resource", "show", "b1", "--json"))
    assert first["address"] == "10.0.0.1"
    assert (first["attributes"]["Box.User"], first["attributes"]["Box.Ports"]) == ("ann", "8")
    assert "secret" not in json.dumps(first)
    (second, *_) = json.loads(home("resource", "show", "b2", "--json"))
    assert second["attributes"]["Box.Ports"] == "4"


def test_a_table_as_spreadsheets_save_it_is_read(home: Home) -> None:
    home.add('\N{BYTE ORDER MARK}Name,Shell,Description\r\nb1,Box,"two\nlines"\r\n')
    assert home.names() == ["b1"]


def test_every_row_that_cannot_be_added_is_named_and_none_is_added(home: Home) -> None:
    home.add("name,shell\nthere,Box\n")
    said = home.add(
        "name,shell,Ports,Usr\n"
        "good,Box,4,\n"
        "b1,Bax,4,\n"
        "b2,Box,many,\n"
        "b3,Box,4,ann\n"
        "there,Box,,\n"
        "good,Box,,\n"
        "b/4,Box,,\n"
        "b5,Box,,,more\n",
        code=2,
    )
    assert said.startswith("shelldock: nothing was added: line 3: no shell 'Bax'")
    for line, why in {
        4: "a whole number, not 'many'",
        5: "did you mean 'User'",
        6: "resource 'there' is there already",
        7: "resource 'good' is there already",
        8: "cannot call a resource 'b/4'",
        9: "a cell is in no column that has a name",
    }.items():
        assert why in said.partition(f"; line {line}: ")[2].partition("; line ")[0]
    assert home.names() == ["there"]


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("name,address\nb1,\n", "has no column called shell"),
        ("", "has no column called name or shell"),
        (b"name,shell\n\xff,Box\n", "cannot read"),
        ('name,shell\n"b1,Box\n', "cannot read"),
    ],
    ids=["no shell", "empty", "not UTF-8", "open quote"],
)
def test_what_is_no_table_is_refused(home: Home, table: str | bytes, why: str) -> None:
    assert why in home.add(table, code=2)
    assert home.names() == []


def test_a_table_that_is_not_there_is_refused(home: Home) -> None:
    assert "cannot read" in home("import-csv", "nowhere.csv", code=2)
