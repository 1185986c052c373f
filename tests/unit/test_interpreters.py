"""Which Python a driver gets, and why."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelldock.errors import PythonError
from shelldock.model import Driver, Interpreter, Shell
from shelldock_cloudshell.environment import PREFERENCE
from shelldock_cloudshell.interpreters import ask, choose, find


def here(*versions: str) -> list[Interpreter]:
    return [
        Interpreter(path=Path(f"/opt/python{version}"), version=version) for version in versions
    ]


def shell(python: str | None) -> Shell:
    driver = Driver(name="D", main_class="d.D", source=Path("/d"), digest="d", python=python)
    return Shell(name="Switch", path=Path("/d"), driver=driver)


def program(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def answering(file: Path, version: str) -> Path:
    """A program that answers as an interpreter of that version would."""
    return program(file, f"echo {version}\necho {file}")


# ---- finding ------------------------------------------------------------------------------------


def test_the_interpreter_that_runs_this_is_found_under_its_real_path() -> None:
    real = Path(os.path.realpath(sys.executable))
    found = {
        one.path: one.version
        for one in find({**os.environ, "PATH": str(Path(sys.executable).parent)})
    }
    version = ".".join(map(str, sys.version_info[:3]))
    assert found.get(real) == version or version in found.values()


def test_all_the_places_are_looked_at_and_newest_come_first(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = [
        answering(tmp_path / "bin/python3.14", "3.14.2"),
        answering(home / ".local/share/uv/python/cpython-3.12.7-linux/bin/python3.12", "3.12.7"),
        answering(home / ".pyenv/versions/3.9.18/bin/python3.9", "3.9.18"),
    ]
    found = find({"HOME": str(home), "PATH": str(tmp_path / "bin")})
    assert [one.path for one in found if one.path.is_relative_to(tmp_path)] == made
    assert found == sorted(found, key=lambda one: one.numbers, reverse=True)


def test_variables_say_where_pyenv_and_uv_keep_theirs(tmp_path: Path) -> None:
    one = answering(tmp_path / "pyenv/versions/3.10.1/bin/python3.10", "3.10.1")
    two = answering(tmp_path / "uv/cpython-3.8/bin/python3.8", "3.8.9")
    environ = {
        "HOME": str(tmp_path),
        "PATH": "",
        "PYENV_ROOT": str(tmp_path / "pyenv"),
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "uv"),
    }
    assert {one, two} <= {found.path for found in find(environ)}


def test_every_version_of_pyenv_is_found_whichever_of_them_is_chosen_d9(tmp_path: Path) -> None:
    made = {
        answering(tmp_path / f".pyenv/versions/{version}/bin/python3", version)
        for version in ("3.9.18", "3.12.1")
    }
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / ".pyenv/shims")}
    for chosen in ({}, {"PYENV_VERSION": "3.9.18"}, {"PYENV_VERSION": "nonsense"}):
        assert made <= {found.path for found in find(environ | chosen)}


def test_links_to_one_interpreter_are_one(tmp_path: Path) -> None:
    real = answering(tmp_path / "bin/python3.14", "3.14.2")
    (tmp_path / "bin/python3").symlink_to(real)
    (tmp_path / "bin/python").symlink_to("python3")
    found = find({"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")})
    assert [one.path for one in found].count(real) == 1


def test_what_does_not_answer_like_a_python_is_skipped(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    program(folder / "python3.9", "echo 'pyenv: python3.9: command not found' >&2; exit 127")
    program(folder / "python3.8", "echo hello")
    program(folder / "python3.7", "exit 0")
    answering(folder / "python3.11-config", "3.11.1")
    (folder / "python3.10").write_text("not executable")
    found = find({"HOME": str(tmp_path), "PATH": f"{folder}:/nowhere"})
    assert not [one for one in found if one.path.is_relative_to(tmp_path)]


def test_pyenvs_shims_are_not_started_at_all(tmp_path: Path) -> None:
    shims = tmp_path / ".pyenv/shims"
    program(shims / "python3.9", f"touch {tmp_path}/started; exit 127")
    find({"HOME": str(tmp_path), "PATH": str(shims)})
    assert not (tmp_path / "started").exists()


def test_an_interpreter_is_asked_again_only_after_it_changed(tmp_path: Path) -> None:
    file = program(
        tmp_path / "python3.9", f"echo x >> {tmp_path}/asked; echo 3.9.1; echo {tmp_path}/python3.9"
    )
    assert ask(file) == ask(file) == Interpreter(path=file, version="3.9.1")
    assert (tmp_path / "asked").read_text() == "x\n"
    answering(file, "3.9.2")
    os.utime(file, (1, 1))
    found = ask(file)
    assert found is not None
    assert found.version == "3.9.2"
    assert ask(tmp_path / "nothing") is None


# ---- choosing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        (("3.13.1", "3.11.7", "3.9.9"), "3.11.7"),
        (("3.13.1", "3.12.1", "3.9.9"), "3.9.9"),
        (("3.13.1", "3.12.1", "3.8.2"), "3.12.1"),
        (("3.14.0", "3.7.1"), "3.14.0"),
        (("3.7.1", "3.6.1"), "3.7.1"),
        (("3.11.2", "3.11.7", "3.11.10"), "3.11.10"),
        (("3.16.0", "3.15.0"), "3.16.0"),
    ],
)
def test_metadata_that_ask_for_3_get_the_preferred_one_of_those_here(
    versions: tuple[str, ...], wanted: str
) -> None:
    choice = choose(shell("3"), None, here(*versions))
    assert choice.version == wanted
    assert "metadata of shell 'Switch' ask for Python 3" in choice.why


def test_the_preference_may_be_set() -> None:
    assert choose(shell("3"), None, here("3.13.1", "3.11.7"), ("3.13",)).version == "3.13.1"


@pytest.mark.parametrize("asked", ["3.9", "3.9.18", "python3.9", "Python 3.9"])
@pytest.mark.parametrize("metadata", [None, "2", "3"])
def test_what_the_user_asks_for_wins_d9(asked: str, metadata: str | None) -> None:
    choice = choose(shell(metadata), asked, here("3.11.7", "3.9.18", "3.9.2"))
    assert choice.version == "3.9.18"
    assert choice.why == "it was asked for"


def test_3_1_does_not_mean_3_11() -> None:
    with pytest.raises(PythonError, match=r"no Python 3\.1 that .* there are 3\.11"):
        choose(shell("3"), "3.1", here("3.11.7"))


def test_a_path_wins_and_must_be_a_python(tmp_path: Path) -> None:
    file = answering(tmp_path / "mine", "3.9.1")
    choice = choose(shell(None), str(file), here("3.11.7"))
    assert (choice.path, choice.version) == (file, "3.9.1")
    with pytest.raises(PythonError, match="is no Python interpreter"):
        choose(shell("3"), str(tmp_path / "nothing"), here("3.11.7"))
    with pytest.raises(PythonError, match=r"is Python 2\.7\.18; drivers run on 3\.7 and later"):
        choose(shell("3"), str(answering(tmp_path / "old", "2.7.18")), here("3.11.7"))


@pytest.mark.parametrize("metadata", [None, "2", "2.7"])
def test_a_shell_for_python_2_is_refused_with_what_to_try_d9_v8(metadata: str | None) -> None:
    with pytest.raises(PythonError) as caught:
        choose(shell(metadata), None, here("3.11.7", "3.9.18", "2.7.18"))
    message = str(caught.value)
    assert "'Switch' is written for Python 2" in message
    assert (f"ask for Python {metadata}" if metadata else "name no PythonVersion") in message
    assert "does not run here" in message
    assert "try it with --python 3.9" in message
    assert "plugins.environment.shells.'Switch'" in message


def test_none_that_fits_names_what_is_there() -> None:
    with pytest.raises(PythonError, match=r"no Python 3\.12 .*there are 3\.11, 3\.9$"):
        choose(shell("3"), "3.12", here("3.11.7", "3.11.2", "3.9.1", "3.6.1"))
    with pytest.raises(PythonError, match=r"there is no Python 3\.7 or later at all"):
        choose(shell("3"), None, here("2.7.18", "3.6.1"))


@given(st.lists(st.tuples(st.integers(7, 16), st.integers(0, 20)), min_size=1, unique=True))
def test_no_choice_depends_on_the_order_in_which_interpreters_are_found(
    found: list[tuple[int, int]],
) -> None:
    versions = [f"3.{minor}.{micro}" for minor, micro in found]
    choice = choose(shell("3"), None, here(*versions))
    assert choice == choose(shell("3"), None, here(*reversed(versions)))
    minors = {f"3.{minor}" for minor, _ in found}
    preferred = [minor for minor in PREFERENCE if minor in minors]
    assert not preferred or choice.minor == preferred[0]
