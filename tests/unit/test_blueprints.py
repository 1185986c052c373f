"""Blueprints are read strictly, and what is wrong is told with its line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from shelldock import blueprints
from shelldock.blueprints import App, Blueprint, ServiceUse, Use
from shelldock.errors import InputError

LAB = """\
name: MySQL lab
duration: 1h 30m
resources:
  - name: sw1
    shared: true
apps:
  - name: MySQL
    shell: mysql-app
    address: 127.0.0.1
    attributes: {User: admin, Port: 3306, Replica: false}
services:
  - name: traffic
    shell: traffic-service
"""


def test_a_blueprint_in_yaml_and_the_same_in_json_are_equal() -> None:
    lab = blueprints.read(LAB)
    assert (lab.resources[0].name, lab.resources[0].shared) == ("sw1", True)
    assert lab.apps[0].attributes == {"User": "admin", "Port": 3306, "Replica": False}
    data = {
        "name": "MySQL lab",
        "duration": "1h 30m",
        "resources": [{"name": "sw1", "shared": True}],
        "apps": [
            {
                "name": "MySQL",
                "shell": "mysql-app",
                "address": "127.0.0.1",
                "attributes": {"User": "admin", "Port": 3306, "Replica": False},
            }
        ],
        "services": [{"name": "traffic", "shell": "traffic-service"}],
    }
    assert blueprints.read(json.dumps(data)) == lab == blueprints.convert(data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("    shared: true", "    shard: true"), r"lab.yaml, line 4: .*`shard` in resources\[0\]"),
        (("    shell: mysql-app\n", ""), r"line 7: .*`shell` in apps\[0\]"),
        (
            ("    address: 127.0.0.1", "    address: 127"),
            r"line 9: expected `str`.* in apps\[0\].address",
        ),
        (("name: MySQL lab\n", ""), "line 1: .*`name`"),
        (("name: traffic", "name: mysql"), "app or service 'mysql' is there twice"),
        (
            ("    address: 127.0.0.1", "    address: a\n    resource: b"),
            "an address and a resource",
        ),
        (("1h 30m", "soon"), "'soon' is no duration"),
        (("1h 30m", "-5"), "more than 0 seconds"),
        (("duration: 1h 30m", "duration: [1"), "line 3"),
        (("name: MySQL lab", "- MySQL lab"), "line 2"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(change: tuple[str, str], said: str) -> None:
    assert change[0] in LAB
    with pytest.raises(InputError, match=said):
        blueprints.read(LAB.replace(*change), "lab.yaml")


@pytest.mark.parametrize(
    "text", ["", "3", "[]", "a: &a [*a]", "!!python/object:os.system {}", "\x00"]
)
def test_what_is_no_blueprint_at_all_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="cannot read"):
        blueprints.read(text)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("2h", 7200), ("1d 12h", 129600), ("90m", 5400), ("45s", 45), (0.5, 0.5), (None, None)],
)
def test_durations_are_what_they_say(written: str | float | None, seconds: float | None) -> None:
    assert blueprints.seconds(written) == seconds


def test_editors_get_a_schema_that_describes_every_field() -> None:
    schema = blueprints.schema()
    assert schema["$ref"] == "#/$defs/Blueprint"
    assert {"name", "apps", "resources", "services"} <= set(
        schema["$defs"]["Blueprint"]["properties"]
    )
    assert schema["$defs"]["App"]["additionalProperties"] is False


def test_the_page_names_every_field() -> None:
    text = (Path(__file__).parents[2] / "docs/reference/blueprints.md").read_text()
    parts = re.split(r"^## `(\w+)`$", text.partition("\n## In an editor")[0], flags=re.MULTILINE)
    told = {
        part: re.findall(r"^\| `(\w+)` \|", body, flags=re.MULTILINE)
        for part, body in zip(["", *parts[1::2]], parts[::2], strict=True)
    }
    assert told == {
        "": list(Blueprint.__struct_fields__),
        "resources": list(Use.__struct_fields__),
        "apps": list(App.__struct_fields__),
        "services": list(ServiceUse.__struct_fields__),
    }
