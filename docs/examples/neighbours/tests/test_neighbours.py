"""Once the plugin is installed, hosts of one process are as the machines of one lab."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from shelldock import Host, Target
from shelldock.errors import ConflictError, DriverError
from shelldock.paths import Paths
from shelldock.settings import load

DRIVER = """\
import os

class BoxDriver:
    def pid(self, context):
        return os.getpid()

    def fail(self, context):
        raise ValueError("no licence")

    def wait(self, context):
        import time
        time.sleep(600)
"""


def host(folder: Path, name: str, street: str) -> Host:
    """A host in a street."""
    told = {
        "SHELLDOCK_FABRIC": "neighbours",
        "SHELLDOCK_NODE__NAME": name,
        "SHELLDOCK_NODE__SLOTS": "1",
        "SHELLDOCK_PLUGINS__NEIGHBOURS__STREET": street,
    }
    return Host(settings=load(None, told), paths=Paths.below(folder / name))


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    """Two neighbours with room for one instance each."""
    with ExitStack() as both:
        ann, bob = (host(tmp_path, name, str(tmp_path)) for name in ("ann", "bob"))
        yield both.enter_context(ann), both.enter_context(bob)


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A shell for both."""
    (tmp_path / "box").mkdir()
    (tmp_path / "box/driver.py").write_text(DRIVER)
    return tmp_path / "box"


def box(host: Host, shell: Path, name: str = "box") -> Target:
    """What the driver drives, as this host knows it."""
    return host.target(shell, name)


def test_a_key_has_one_instance_whoever_asks_for_it(hosts: tuple[Host, Host], shell: Path) -> None:
    with ThreadPoolExecutor(20) as threads:
        asked = [
            threads.submit(one.execute, box(one, shell), "pid") for one in hosts for _ in range(10)
        ]
    assert len({one.result().result for one in asked}) == 1
    first, second = ([one.pid for one in each.instances()] for each in hosts)
    assert first == second
    assert len(first) == 1


def test_instances_start_where_there_is_room(hosts: tuple[Host, Host], shell: Path) -> None:
    ann, bob = hosts
    ann.execute(box(ann, shell, "box1"), "pid")
    ann.execute(box(ann, shell, "box2"), "pid")
    assert {one.node for one in bob.instances()} == {"ann", "bob"}
    with pytest.raises(ConflictError, match="no execution server has a free slot"):
        bob.execute(box(bob, shell, "box3"), "pid")


def test_what_a_driver_raises_reaches_the_host_that_asked(
    hosts: tuple[Host, Host], shell: Path
) -> None:
    ann, bob = hosts
    ann.execute(box(ann, shell), "pid")
    with pytest.raises(DriverError, match="no licence") as caught:
        bob.execute(box(bob, shell), "fail")
    assert caught.value.type == "ValueError"


def test_an_instance_is_ended_from_next_door(hosts: tuple[Host, Host], shell: Path) -> None:
    ann, bob = hosts
    ann.execute(box(ann, shell), "pid")
    bob.stop("resource/box")
    assert ann.instances() == []


def test_a_host_that_leaves_takes_its_instances_along(tmp_path: Path, shell: Path) -> None:
    with host(tmp_path, "bob", str(tmp_path)) as bob:
        with host(tmp_path, "ann", str(tmp_path)) as ann:
            before = ann.execute(box(ann, shell), "pid").result
        after = bob.execute(box(bob, shell), "pid").result
        assert [one.node for one in bob.instances()] == ["bob"]
    assert before != after


def test_hosts_of_another_street_are_strangers(tmp_path: Path, shell: Path) -> None:
    with host(tmp_path, "ann", "here") as ann, host(tmp_path, "bob", "there") as bob:
        ann.execute(box(ann, shell), "pid")
        assert bob.instances() == []


def test_two_hosts_cannot_have_one_name(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    with (
        pytest.raises(ConflictError, match="a node called 'ann' is there already"),
        host(tmp_path, "ann", str(tmp_path)),
    ):
        pass
