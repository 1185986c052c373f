"""Why the kernel would not keep equal pages once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shelldock.merging import obstacle

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_stands_in_the_way_where_it_runs(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("1\n")
    assert obstacle(tmp_path / "run") == ""


def test_where_it_does_not_run_is_said_how_to_let_it(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("0\n")
    assert obstacle(tmp_path / "run") == f"KSM does not run; as root: echo 1 > {tmp_path}/run"


def test_a_kernel_without_it_is_said_to_be_one(tmp_path: Path) -> None:
    assert obstacle(tmp_path / "run").startswith("this kernel has no KSM")
