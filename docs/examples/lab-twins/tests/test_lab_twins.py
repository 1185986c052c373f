"""Once the plugin is installed, drivers meet the twins of their devices."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shelldock import Host, Resource
from shelldock.paths import Paths
from shelldock.settings import load

DRIVER = """\
class BoxDriver:
    def initialize(self, context):
        self.first = context.resource.address

    def seen(self, context):
        resource = context.resource
        return "%s %s %s" % (self.first, resource.address, resource.attributes["BoxDriver.User"])

    def other_side(self, context):
        return context.remote_endpoints[0].address
"""


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A shell whose driver tells what it is told."""
    (tmp_path / "box").mkdir()
    (tmp_path / "box/driver.py").write_text(DRIVER)
    return tmp_path / "box"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host that knows one twin."""
    twins = json.dumps({"10.0.0.1": "127.0.0.2"})
    settings = load(None, {"SHELLDOCK_PLUGINS__LAB_TWINS__ADDRESSES": twins})
    return Host(settings=settings, paths=Paths.below(tmp_path / "home"))


@pytest.mark.parametrize(
    ("address", "met"), [("10.0.0.1", "127.0.0.2"), ("10.0.0.10", "10.0.0.10")]
)
def test_the_driver_meets_the_twin_where_there_is_one(
    host: Host, shell: Path, address: str, met: str
) -> None:
    with host:
        box = host.target(shell, address=address, attributes={"User": "ann"})
        assert host.execute(box, "seen").result == f"{met} {met} ann"


def test_the_other_side_of_a_connection_is_a_twin_too(host: Host, shell: Path) -> None:
    with host:
        ended = host.execute(
            host.target(shell),
            "other_side",
            ports=["box/P1"],
            endpoints=[Resource(name="sw1", address="10.0.0.1")],
        )
    assert ended.result == "127.0.0.2"
