"""Once the plugin is installed, its rules are checked with the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelldock.plugins import Plugins
from shelldock.settings import load

METADATA = """\
<Driver Name="D" MainClass="driver.D" Version="1.0.0" Description="" PythonVersion="3">
  <Layout>
    <Category Name="Hidden Commands"><Command Name="keep_alive"/><Command Name="Deploy"/></Category>
    <Command Name="dim" Description="Makes it darker"/>
    <Command Name="switchOn"/>
  </Layout>
</Driver>
"""

DRIVER = """\
class D:
    def keep_alive(self, context): ...
    def Deploy(self, context, request): ...
    def dim(self, context): ...
    def switchOn(self, context): ...
"""


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A driver, some of whose commands are not as they should be."""
    (tmp_path / "drivermetadata.xml").write_text(METADATA)
    (tmp_path / "driver.py").write_text(DRIVER)
    return tmp_path


def rules(shell: Path, **settings: str) -> list[tuple[str, str]]:
    """What all plugins that are installed here find, ours among them: rule and command."""
    plugins = Plugins(load(None, settings))
    found = plugins.check_shell(shell, plugins.read_shell(shell))
    return [(one.rule, one.message.split("'")[1]) for one in found]


def test_commands_without_a_description_and_with_an_odd_name_are_found(shell: Path):
    assert rules(shell) == [("undescribed-command", "switchOn"), ("odd-name", "switchOn")]


def test_the_settings_decide_what_counts(shell: Path):
    found = rules(
        shell,
        SHELLDOCK_PLUGINS__HOUSE_RULES__HIDDEN="true",
        SHELLDOCK_PLUGINS__HOUSE_RULES__NAME="[a-zA-Z_]+",
    )
    assert [command for _, command in found] == ["keep_alive", "Deploy", "switchOn"]


def test_a_shell_that_cannot_be_read_is_none_of_its_business(tmp_path: Path):
    assert Plugins(load(None, {})).check_shell(tmp_path, None) == []
