"""The shell works once it is installed, whoever looks at it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points, requires
from pathlib import Path


def shelldock(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line of this environment with everything it keeps under ``home``."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("shelldock")), *arguments],
        env=os.environ | {"SHELLDOCK_HOME": str(home), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_package_needs_nothing():
    assert not requires("hello-shell")


def test_the_entry_point_leads_to_a_shell_project():
    (entry,) = entry_points(group="shelldock.shells", name="hello")
    folder = entry.load()
    for name in (
        "shell-definition.yaml",
        "src/drivermetadata.xml",
        "src/requirements.txt",
        "src/driver.py",
    ):
        assert (folder / name).is_file(), name


def test_it_is_listed_once_installed(tmp_path):
    listed = shelldock("shell", "list", home=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "Hello" in listed.stdout


def test_it_greets_by_the_name_of_the_shell(tmp_path):
    greeted = shelldock("run", "Hello", "hello", "name=World", home=tmp_path)
    assert greeted.returncode == 0, greeted.stderr
    assert "Hello, World!" in greeted.stdout


def test_the_words_are_the_resources(tmp_path):
    greeted = shelldock(
        "run", "Hello", "hello", "name=World", "--attribute", "Greeting=Ahoy", home=tmp_path
    )
    assert greeted.returncode == 0, greeted.stderr
    assert "Ahoy, World!" in greeted.stdout
