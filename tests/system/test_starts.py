"""What a start does without: modules that only others need, and processes that were needed once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.workshop import Workshop, clean_environ

from shelldock.cli.lazy import COMMANDS

HEAVY = (
    *(
        "alembic",
        "argon2",
        "cryptography",
        "httpx",
        "litestar",
        "multiprocess",
        "prometheus_client",
    ),
    *("psutil", "pydantic", "sqlalchemy", "uvicorn"),
)

DRAWN_WITHOUT = (
    "asyncio",
    "shelldock.building",
    "shelldock_cloudshell.making",
    "ssl",
    "tomllib",
)

UNUSED = (
    *("argon2", "cryptography", "filelock", "h11", "httpx", "packaging", "prometheus_client"),
    *("rich", "shelldock.tables", "shelldock_compat.automation", "sqlalchemy", "sqlite3"),
    *("tomllib", "yaml"),
)

MODULES = """\
import json, sys
from shelldock.cli import main
code = main(sys.argv[1:])
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""

STARTED = """\
import json, sys
started, modules = [], []
def hear(event, arguments):
    if event in ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec", "os.system"):
        modules.extend([] if started else sys.modules)
        started.append([event, *map(str, arguments[1])] if event == "subprocess.Popen" else [event])
sys.addaudithook(hear)
from shelldock.cli import main
code = main(sys.argv[1:])
print("\\n" + json.dumps([code, [started, modules]]))
"""


def run(script: str, home: Path, *arguments: str) -> tuple[int, list[Any]]:
    """The exit code of a command line, and what the script noticed of it."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=clean_environ(home),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    code, noticed = json.loads(done.stdout.splitlines()[-1])
    return code, noticed


@pytest.mark.parametrize("command", ["", "serve", *COMMANDS])
def test_help_imports_nothing_that_only_work_needs(command: str, tmp_path: Path) -> None:
    code, modules = run(MODULES, tmp_path, *filter(None, [command, "--help"]))
    assert code == 0
    assert "shelldock.cli" in modules
    assert [one for one in HEAVY if one in modules] == []


def test_the_list_of_commands_imports_nothing_that_is_not_in_it(tmp_path: Path) -> None:
    code, modules = run(MODULES, tmp_path, "--help")
    assert code == 0
    assert "typer.rich_utils" in modules
    assert [one for one in DRAWN_WITHOUT if one in modules] == []


def test_a_command_in_an_environment_that_is_there_imports_nothing_that_it_has_no_use_for(
    workshop: Workshop, tmp_path: Path
) -> None:
    line = ("run", str(workshop.shell("box")), "work")
    code, modules = run(MODULES, tmp_path / "home", *line)
    assert code == 0
    assert "rich" in modules, "the environment was made"
    code, modules = run(MODULES, tmp_path / "home", *line)
    assert code == 0
    assert "shelldock.host" in modules
    assert [one for one in UNUSED if one in modules] == []


def test_a_command_in_an_environment_that_is_there_starts_no_process_but_the_fork_server(
    workshop: Workshop, tmp_path: Path
) -> None:
    line = ("run", str(workshop.shell("box")), "work")
    code, (started, _) = run(STARTED, tmp_path / "home", *line)
    assert code == 0
    assert len(started) > 1, "the environment was made"
    code, (started, modules) = run(STARTED, tmp_path / "home", *line)
    assert code == 0
    assert [one[0] for one in started] == ["subprocess.Popen"]
    assert started[0][2:5] == ["-s", "-m", "shelldriver"]
    early = [one for one in ("dill", "multiprocess", "psutil") if one in modules]
    assert early == [], "imported before the interpreter is on its way"
