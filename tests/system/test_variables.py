"""The environment variables that drivers see: the user's, and those that each instance has for itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.workshop import Workshop, target

from shelldock import AsyncHost
from shelldock.errors import InputError, SettingsError
from shelldock.paths import Paths
from shelldock.settings import Settings, load

DRIVER = """\
import json
import os

AT_IMPORT = dict(os.environ)

class Driver:
    def seen(self, context, name):
        return json.dumps([AT_IMPORT.get(name), os.environ.get(name)])
"""

SETTINGS = """\
[instances.variables]
LOG_LEVEL = "DEBUG"
SITE = "lab 1"

[shells.Two.variables]
SITE = "lab 2"
"""


async def seen(host: AsyncHost, shell: Path, name: str, at: str = "") -> list[str | None]:
    """What a driver sees of a variable: when it is imported, and when a command runs."""
    ended = await host.execute(target(host, shell, at or shell.name), "seen", {"name": name})
    found: list[str | None] = json.loads(ended.result or "")
    return found


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    """Settings with variables for all and for one shell."""
    file = tmp_path / "settings.toml"
    file.write_text(SETTINGS)
    return load(file, {})


@pytest.mark.parametrize("fresh", [False, True], ids=["forked", "fresh"])
async def test_variables_for_all_and_for_one_shell_are_there_at_import_and_later_v9(
    paths: Paths, workshop: Workshop, chosen: Settings, fresh: bool
) -> None:
    one, two = (workshop.shell(name, source=DRIVER) for name in ("One", "Two"))
    async with AsyncHost(chosen, paths=paths, fresh=fresh) as host:
        assert await seen(host, one, "LOG_LEVEL") == ["DEBUG", "DEBUG"]
        assert await seen(host, one, "SITE") == ["lab 1", "lab 1"]
        assert await seen(host, two, "SITE") == ["lab 2", "lab 2"]


async def test_what_is_given_to_the_host_overrules_the_settings_v9(
    paths: Paths, workshop: Workshop, chosen: Settings
) -> None:
    shell = workshop.shell("Two", source=DRIVER)
    async with AsyncHost(chosen, paths=paths, variables={"SITE": "here"}) as host:
        assert await seen(host, shell, "SITE") == ["here", "here"]
        assert await seen(host, shell, "LOG_LEVEL") == ["DEBUG", "DEBUG"]


async def test_shells_of_one_driver_may_differ_in_their_variables_v9(
    paths: Paths, workshop: Workshop, chosen: Settings
) -> None:
    one = workshop.shell("One", source=DRIVER)
    two = workshop.folder / "again"
    two.mkdir()
    for name in ("TOSCA-Metadata", "shell-definition.yaml"):
        (two / name).symlink_to(one / name)
    (two / "src").symlink_to(one / "src")
    (one / "shell-definition.yaml").unlink()
    text = (workshop.shell("Two", source=DRIVER) / "shell-definition.yaml").read_text()
    (one / "shell-definition.yaml").write_text(text.replace("Two", "One"))
    (two / "shell-definition.yaml").unlink()
    (two / "shell-definition.yaml").write_text(text)
    async with AsyncHost(chosen, paths=paths) as host:
        assert host.open_shell(one).driver.digest == host.open_shell(two).driver.digest  # type: ignore[union-attr]
        assert await seen(host, one, "SITE") == ["lab 1", "lab 1"]
        assert await seen(host, two, "SITE") == ["lab 2", "lab 2"]


async def test_programs_of_the_environment_come_first_whatever_path_is_given_v9(
    paths: Paths, workshop: Workshop
) -> None:
    shell = workshop.shell(source=DRIVER)
    async with AsyncHost(Settings(), paths=paths, variables={"PATH": "/opt/tools/bin"}) as host:
        environment = await host.prepare(host.open_shell(shell))
        expected = f"{environment.python.parent}:/opt/tools/bin"
        assert await seen(host, shell, "PATH") == [expected, expected]


async def test_every_instance_has_a_folder_of_its_own_for_logs_v9_l1(
    paths: Paths, workshop: Workshop
) -> None:
    shell = workshop.shell(source=DRIVER)
    async with AsyncHost(Settings(), paths=paths) as host:
        found = {(await seen(host, shell, "LOG_PATH", name))[1] for name in ("one", "two")}
        assert len(found) == 2
        assert all(Path(place or "").is_relative_to(paths.logs) for place in found)


@pytest.mark.parametrize(
    "name", ["LOG_PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "SHELLDOCK_INSTANCE", "", "A=B", "A\0"]
)
def test_what_is_not_for_the_user_is_refused_by_name_v9(paths: Paths, name: str) -> None:
    with pytest.raises(InputError, match="variable"):
        AsyncHost(Settings(), paths=paths, variables={name: "x"})


def test_a_setting_that_is_refused_is_named_with_where_it_was_set_v9(paths: Paths) -> None:
    environ = {"SHELLDOCK_INSTANCES__VARIABLES__LOG_PATH": "/tmp"}
    with pytest.raises(SettingsError, match=r"'instances\.variables'.*'LOG_PATH'.*set by: SHELLD"):
        AsyncHost(load(None, environ), paths=paths)


def test_the_case_of_a_variables_name_counts_v9() -> None:
    settings = load(None, {"SHELLDOCK_INSTANCES__VARIABLES__Log_Level": "DEBUG"})
    assert settings.instances.variables == {"Log_Level": "DEBUG"}
