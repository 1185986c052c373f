"""Shells are checked from the command line and from Python; what cannot be read is a finding, never a crash."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workshop import Workshop, clean_environ

from shelldock import AsyncHost, Host, hookimpl
from shelldock.errors import NotFoundError
from shelldock.model import Finding, Shell
from shelldock.paths import Paths

MISSING = '<Command Name="go"/>'
NOTED = "def go(self, context): ..."
UNBOUNDED = "requests\n"


class Cli:
    """The command line, in processes of its own."""

    def __init__(self, home: Path, folder: Path) -> None:
        self._environ = clean_environ(home) | {"NO_COLOR": "1"}
        self._folder = folder

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "shelldock", *map(str, arguments)],
            env=self._environ,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home", tmp_path)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_findings_are_lines_that_editors_can_follow_and_errors_have_an_exit_code_l3(
    cli: Cli, workshop: Workshop
) -> None:
    workshop.shell(commands=MISSING)
    done = cli("shell", "check", "Box")
    first, *_ = lines = done.stdout.splitlines()
    assert done.returncode == 6
    assert first.startswith("Box/src/driver.py:")
    assert "Box/src/drivermetadata.xml:2:11: error missing-method: command 'go'" in done.stdout
    assert lines == sorted(lines)
    assert done.stderr == "1 error, 2 notes\n"


def test_warnings_count_where_that_is_asked_for_l3(cli: Cli, workshop: Workshop) -> None:
    workshop.shell(requirements=UNBOUNDED)
    assert cli("shell", "check", "Box").returncode == 0
    assert cli("shell", "check", "--strict", "Box").returncode == 6
    left = cli("shell", "check", "--strict", "--ignore", "unpinned-requirement", "Box")
    assert (left.returncode, "unpinned" in left.stdout) == (0, False)


def test_notes_never_count_l3(cli: Cli, workshop: Workshop) -> None:
    workshop.shell(more=NOTED)
    done = cli("shell", "check", "--strict", "Box")
    assert (done.returncode, done.stderr) == (0, "3 notes\n")


def test_findings_are_json_where_that_is_asked_for_l3(cli: Cli, workshop: Workshop) -> None:
    path = workshop.shell(requirements=UNBOUNDED) / "src" / "requirements.txt"
    done = cli("shell", "check", "Box", "--json")
    (found,) = (one for one in json.loads(done.stdout) if one["severity"] == "warning")
    assert found == {
        "path": str(path),
        "line": 1,
        "column": 0,
        "rule": "unpinned-requirement",
        "severity": "warning",
        "message": found["message"],
    }
    assert done.stderr == ""


def test_an_installed_shell_is_checked_by_its_name_l3(cli: Cli, workshop: Workshop) -> None:
    workshop.shell("Lamp", commands=MISSING)
    cli("shell", "add", workshop.folder / "Lamp")
    done = cli("shell", "check", "lamp")
    assert done.returncode == 6
    assert "missing-method" in done.stdout


def test_a_shell_that_is_not_there_is_no_finding_l3(cli: Cli) -> None:
    done = cli("shell", "check", "Nothing")
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize(
    ("file", "text", "line", "words"),
    [
        ("src/drivermetadata.xml", "<Driver>\n <Layout>\n</Driver>", 3, "not well-formed XML"),
        ("shell-definition.yaml", "metadata:\n  a: [\n", 3, "not well-formed YAML"),
        ("shell-definition.yaml", "metadata: {}\n", 0, "template_name"),
    ],
)
def test_what_cannot_be_read_is_a_finding_with_its_line_l3(
    cli: Cli, workshop: Workshop, file: str, text: str, line: int, words: str
) -> None:
    path = workshop.shell() / file
    path.write_text(text)
    done = cli("shell", "check", "Box", "--json")
    (found,) = json.loads(done.stdout)
    assert done.returncode == 6
    assert (found["path"], found["line"], found["rule"]) == (str(path), line, "unreadable")
    assert words in found["message"]


def test_a_package_is_checked_like_its_folder_l3(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "box.zip").write_bytes(b"PK\x03\x04 and nothing more")
    done = cli("shell", "check", "box.zip")
    assert done.returncode == 6
    assert done.stdout.startswith("box.zip: error unreadable: ")


def test_the_host_checks_shells_for_scripts_l3(tmp_path: Path) -> None:
    shell = Workshop(tmp_path).shell(commands=MISSING)
    with Host(paths=Paths.below(tmp_path / "home")) as host:
        found = host.check(shell)
        with pytest.raises(NotFoundError):
            host.check("Nothing")
    assert [one.severity for one in found] == ["note", "note", "error"]


async def test_plugins_find_more_and_one_that_fails_is_a_finding_l3(tmp_path: Path) -> None:
    shell = Workshop(tmp_path).shell()
    asked: list[Shell | None] = []

    class Mine:
        @hookimpl
        def shelldock_check_shell(self, path: Path, shell: Shell | None) -> list[Finding]:
            asked.append(shell)
            return [Finding(path=path, rule="mine", severity="warning", message="no")]

    class Broken:
        @hookimpl
        def shelldock_check_shell(self) -> list[Finding]:
            raise RuntimeError("no database")

    class Odd:
        @hookimpl
        def shelldock_check_shell(self) -> list[str]:
            return ["all is well"]

    plugins = [Mine(), Broken(), Odd()]
    async with AsyncHost(paths=Paths.below(tmp_path / "home"), plugins=plugins) as host:
        found = await host.check(shell)
        (shell / "shell-definition.yaml").write_text("[")
        assert {"unreadable", "mine"} <= {one.rule for one in await host.check(shell)}
    failed = [one.message for one in found if one.rule == "check-failed"]
    assert any("'broken' failed with RuntimeError: no database" in one for one in failed)
    assert any("'odd' answered ['all is well']" in one for one in failed)
    assert len(failed) == 2
    assert "mine" in {one.rule for one in found}
    assert asked[0] is not None
    assert asked[-1] is None
