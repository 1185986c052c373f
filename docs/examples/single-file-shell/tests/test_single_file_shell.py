"""Once the plugin is installed, a Python file is a shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shelldock.errors import ShellError
from shelldock.model import Shell
from shelldock.plugins import Plugins
from shelldock.settings import Settings

HERE = Path(__file__).parent
THERMOMETER = HERE / "thermometer.py"


def read(path: Path) -> Shell:
    """The answer of all plugins that are installed here, ours among them."""
    return Plugins(Settings()).read_shell(path)


def shelldock(*arguments: str, home: Path) -> str:
    """What the command line of this environment prints, with everything it keeps under ``home``."""
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("shelldock")), *arguments],
        env=os.environ | {"SHELLDOCK_HOME": str(home), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_class_says_which_commands_there_are() -> None:
    driver = read(THERMOMETER).driver
    assert driver is not None
    (command,) = driver.commands
    assert (command.name, command.description) == ("read", "Reads the temperature of a room.")
    assert [(one.name, one.mandatory) for one in command.parameters] == [("room", False)]


def test_the_comment_says_what_it_needs_and_which_attributes_it_has() -> None:
    shell = read(THERMOMETER)
    assert shell.driver is not None
    assert shell.driver.requirements == ("cowsay>=6.1,<7",)
    found = [(one.name, one.type) for one in shell.attributes]
    assert found == [("thermometer.Scale", "string"), ("thermometer.Password", "password")]


def test_it_runs_where_it_lies_and_once_it_is_added(tmp_path: Path) -> None:
    ran = shelldock("run", str(THERMOMETER), "read", "--attribute", "Scale=F", home=tmp_path)
    assert "hall: 20 F" in ran
    shelldock("shell", "add", str(THERMOMETER), home=tmp_path)
    assert "attic: 20 C" in shelldock("run", "thermometer", "read", "room=attic", home=tmp_path)


def test_the_readme_shows_the_whole_of_it() -> None:
    shown = re.findall(r"```python\n(.*?)```", (HERE.parent / "README.md").read_text(), re.DOTALL)
    assert shown == [THERMOMETER.read_text()]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("notes.py", "class Notes:\n    pass\n", "expected a class called Driver"),
        ("my-box.py", "class Driver:\n    pass\n", "a file that can be imported"),
        ("old.py", "class Driver:\n    print 'hi'\n", r"line 2"),
        ("odd.py", "# /// script\n# dependencies = 3\n# ///\nclass Driver: pass\n", "Expected `array`"),
        ("half.py", "# /// script\n# dependencies = [\n# ///\nclass Driver: pass\n", "Invalid value"),
        ("binary.py", "\0", "null bytes"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_shell_is_refused_with_the_reason(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ShellError, match=said):
        read(tmp_path / name)
