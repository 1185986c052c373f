"""The benchmark fails where it should, keeps what it measured, and names what it could not measure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from benchmarks import check, running, table
from benchmarks.environments import MissingError
from benchmarks.plan import SHELLS, Plan
from benchmarks.results import Building, Results, Running, Stack
from benchmarks.ways import OURS, WAYS, Way

TINY = Plan(rounds=1, instances=1, calls=4, bursts=2, builds=0, load=0, resources=0)
EXECNET = "execnet"


def stack(ours: float, theirs: float) -> Stack:
    both = {OURS: ours, EXECNET: theirs}
    return Stack(
        title="A driver",
        running={name: Running(trip=[value], rate=[1 / value]) for name, value in both.items()},
        building={name: Building(cached=[value]) for name, value in both.items()},
    )


@pytest.mark.parametrize("what", ["trip", "rate", "cached"])
@pytest.mark.parametrize(("theirs", "falls"), [(40.0, 0), (21.0, 0), (19.0, 1)])
def test_a_ratio_falls_behind_at_less_than_half_of_what_is_expected(
    what: str, theirs: float, falls: int
) -> None:
    expected = [check.Expected(what=what, beside=EXECNET, times=4)]
    found = list(check.behind(stack(10, theirs), expected))
    assert len(found) == falls
    assert all("at least 2 wanted (half of the 4 in expected.toml)" in one for one in found)


def test_a_round_in_which_the_machine_had_more_to_do_does_not_count() -> None:
    found = stack(10, 40)
    found.running[OURS].trip += [300, 10]
    found.running[OURS].rate += [1 / 300]
    expected = [check.Expected(what=what, beside=EXECNET, times=4) for what in ("trip", "rate")]
    assert not list(check.behind(found, expected))


def test_every_expectation_is_of_something_that_the_short_form_measures() -> None:
    short = {way.name for way in WAYS if way.short} | {"venv and pip"}
    for one in check.expectations():
        assert one.what in check.MEASURES
        assert one.beside in short
        assert one.times > 0


def test_what_was_measured_is_read_again_as_it_was(tmp_path: Path) -> None:
    results = Results(at="2026-01-31", machine="2 cores", load=0.1, version="1", short=True)
    results.stacks.append(stack(1e-4, 2e-4))
    results.write(tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json") == results


def test_the_table_says_how_many_times_ours_another_way_is() -> None:
    text = table.table(table.RUNNING[4:5], stack(1e-4, 2.5e-4).running, OURS)
    assert text.splitlines()[2:] == ["| Shelldock | 100 |", "| execnet | 250 **2.5×** |"]


def test_a_way_that_cannot_be_installed_is_named_with_the_reason(tmp_path: Path) -> None:
    found = Stack(title="A driver")
    ways = [Way("a way of nobody", "nothing", packages=(str(tmp_path / "no-such-folder"),))]
    running.run(found, SHELLS / "small", TINY, ways, tmp_path)
    assert not found.running
    assert "no-such-folder" in found.missing["a way of nobody"]


def test_a_way_that_fails_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/requirements.txt").touch()
    found = Stack(title="A driver")
    running.run(found, tmp_path, TINY, [Way("no module", "nothing")], tmp_path)
    assert not found.running
    assert "No module named 'benchmarks.peers.nothing'" in found.missing["no module"]


def test_a_failure_of_ours_ends_the_run(tmp_path: Path) -> None:
    ways = [Way("ours", "nothing", packages=None)]
    with pytest.raises(MissingError, match="module named"):
        running.run(Stack(title="A driver"), tmp_path, TINY, ways, tmp_path)


@pytest.mark.parametrize(("module", "option"), [("multiprocess", "spawn"), ("command", "")])
def test_a_round_measures_a_driver_that_answers(module: str, option: str, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/driver.py").write_text(
        "class BenchmarkDriver:\n"
        "    def initialize(self, context): pass\n"
        "    def echo(self, context, text): return text\n"
    )
    sizes = {"shell": str(tmp_path), "room": "", "instances": 2, "calls": 4, "bursts": 2}
    command = [sys.executable, "-c", running.START, module, option, json.dumps(sizes)]
    printed = subprocess.run(
        command, cwd=SHELLS.parents[1], env=os.environ, stdout=subprocess.PIPE, check=True
    ).stdout
    found = msgspec.json.decode(printed, type=Running)
    assert len(found.further) == 2
    assert min(*found.first, *found.further, *found.trip, *found.slow, *found.rate) > 0
