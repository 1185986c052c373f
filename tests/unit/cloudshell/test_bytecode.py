"""Bytecode goes from one environment to the next, where the source is the same."""

from __future__ import annotations

import compileall
import os
import platform
import shutil
import sys
from pathlib import Path

import pytest

from shelldock_cloudshell.bytecode import Bytecode


@pytest.fixture
def bytecode(tmp_path: Path) -> Bytecode:
    return Bytecode(tmp_path / "kept", platform.python_version())


def packages(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "alpha.py").write_text(text)
    os.utime(folder / "alpha.py", (1e9, 1e9))
    return folder


def compiled(folder: Path) -> Path:
    return folder / "__pycache__" / f"alpha.{sys.implementation.cache_tag}.pyc"


def test_what_is_the_same_is_brought(bytecode: Bytecode, tmp_path: Path) -> None:
    first = packages(tmp_path / "first", "VERSION = 1\n")
    assert not bytecode.bring(first)
    compileall.compile_dir(first, quiet=1)
    bytecode.keep(first)
    second = packages(tmp_path / "second", "VERSION = 1\n")
    assert bytecode.bring(second)
    assert compiled(second).samefile(compiled(first))


def test_a_file_of_the_same_time_and_size_with_another_content_is_compiled(
    bytecode: Bytecode, tmp_path: Path
) -> None:
    first = packages(tmp_path / "first", "VERSION = 1\n")
    compileall.compile_dir(first, quiet=1)
    bytecode.keep(first)
    assert not bytecode.bring(packages(tmp_path / "second", "VERSION = 2\n"))


def test_what_no_environment_has_any_more_is_pruned(bytecode: Bytecode, tmp_path: Path) -> None:
    first = packages(tmp_path / "first", "VERSION = 1\n")
    compileall.compile_dir(first, quiet=1)
    bytecode.keep(first)
    bytecode.prune(0)
    assert len(list(tmp_path.glob("kept/*/*.pyc"))) == 1
    shutil.rmtree(first)
    bytecode.prune(1000)
    assert len(list(tmp_path.glob("kept/*/*.pyc"))) == 1
    bytecode.prune(0)
    assert not list(tmp_path.glob("kept/*/*.pyc"))
