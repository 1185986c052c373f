"""Once the plugin is installed, no more than two commands run at a time where the settings say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelldock import Host
from shelldock.paths import Paths
from shelldock.settings import load

DEFINITION = """\
tosca_definitions_version: tosca_simple_yaml_1_0
metadata: {template_name: Box, template_version: 1.0.0}
node_types:
  vendor.Box:
    derived_from: cloudshell.nodes.GenericResource
    capabilities:
      concurrent_execution: {type: cloudshell.capabilities.SupportConcurrentCommands}
"""

DRIVER = """\
import threading

class BoxDriver:
    def initialize(self, context):
        self.barriers = {}

    def meet(self, context, how_many, seconds):
        barrier = self.barriers.setdefault(how_many, threading.Barrier(int(how_many)))
        try:
            barrier.wait(float(seconds))
        except threading.BrokenBarrierError:
            return "waited in vain"
        return "met"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A shell whose driver could run any number of commands at once."""
    folder = tmp_path / "box"
    (folder / "src").mkdir(parents=True)
    (folder / "shell-definition.yaml").write_text(DEFINITION)
    (folder / "src/driver.py").write_text(DRIVER)
    return folder


def meet(shell: Path, how_many: int, seconds: int, **variables: str) -> set[str]:
    """What becomes of so many commands that all wait until the others run."""
    settings = load(None, variables)
    with Host(settings=settings, paths=Paths.below(shell.parent / "home")) as host:
        box = host.target(shell)
        inputs = {"how_many": str(how_many), "seconds": str(seconds)}
        accepted = [host.submit(box, "meet", inputs) for _ in range(how_many)]
        return {host.wait(one.id).result or "" for one in accepted}


def test_two_run_at_a_time(shell: Path) -> None:
    assert meet(shell, 2, 60, SHELLDOCK_PLUGINS__TWO_AT_A_TIME__SHELLS="Box") == {"met"}


def test_a_third_waits_for_one_of_them(shell: Path) -> None:
    assert meet(shell, 3, 1, SHELLDOCK_PLUGINS__TWO_AT_A_TIME__SHELLS="Box") == {"waited in vain"}


def test_shells_that_are_not_named_keep_their_own_number(shell: Path) -> None:
    assert meet(shell, 3, 60, SHELLDOCK_PLUGINS__TWO_AT_A_TIME__SHELLS="Other") == {"met"}
