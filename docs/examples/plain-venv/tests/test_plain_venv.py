"""Once the plugin is installed, drivers run in environments that venv and pip made."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from shelldock import Host
from shelldock.errors import EnvironmentFailed
from shelldock.model import Driver, Shell
from shelldock.paths import Paths
from shelldock.settings import Settings


def wheel(folder: Path) -> None:
    """A distribution with a module and a script, as an index would have it."""
    files = {
        "greeter.py": "def main():\n    print('hello')\n",
        "greeter-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n",
        "greeter-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "greeter-1.0.dist-info/entry_points.txt": "[console_scripts]\ngreet = greeter:main\n",
    }
    record = "greeter-1.0.dist-info/RECORD"
    lines = [f"{name},sha256={digest(text)},{len(text)}" for name, text in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""])
    with zipfile.ZipFile(folder / "greeter-1.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    wheel(folder)
    return folder


def shell(source: Path, *requirements: str, kept: tuple[str, ...] | None = None) -> Shell:
    (source / "requirements.txt").write_text("\n".join(requirements))
    driver = Driver(
        name="D", main_class="d.D", source=source, digest="d", python="3", requirements=kept
    )
    return Shell(name="Greeter", driver=driver, path=source)


@pytest.fixture
def host(tmp_path: Path):
    with Host(settings=Settings(), paths=Paths.below(tmp_path / "home")) as host:
        yield host


def test_an_environment_is_made_with_venv_and_pip_and_may_be_moved(host, source: Path):
    asked = shell(source, "--no-index", "--find-links .", "greeter")
    assert (host.interpreter(asked)).why == "it runs Shelldock"
    made = host.prepare(asked)
    assert made.pins == ("greeter==1.0",)
    assert made.version == "{}.{}.{}".format(*sys.version_info)
    assert "uv" not in (made.path / "pyvenv.cfg").read_text()
    ran = subprocess.run([made.path / "bin" / "greet"], capture_output=True, text=True, check=True)
    assert ran.stdout == "hello\n"


def test_equal_needs_share_one_environment(host, source: Path):
    asked = shell(source, "--no-index", "-f .", "greeter")
    assert (host.prepare(asked)).path == (host.prepare(asked)).path


def test_the_reason_for_a_failure_is_pips_own(host, source: Path):
    with pytest.raises(EnvironmentFailed, match="ERROR: No matching distribution found for absent"):
        host.prepare(shell(source, "--no-index", "absent"))


def test_lines_that_are_kept_elsewhere_count_in_place_of_the_file(host, source: Path):
    kept = ("--no-index", f"--find-links {source}", "greeter")
    assert host.prepare(shell(source, "absent", kept=kept)).pins == ("greeter==1.0",)
    assert host.prepare(shell(source, "absent", kept=())).pins == ()


def test_another_python_is_left_to_the_default(tmp_path: Path, source: Path):
    with Host(settings=Settings(), paths=Paths.below(tmp_path), python=sys.executable) as host:
        assert host.interpreter(shell(source)).why == "it was asked for"
