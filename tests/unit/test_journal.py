"""What instances wrote is read in order, with whose it is, through all files of a log."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from shelldock.errors import InputError
from shelldock.journal import Line, Tail, lines, of_execution, parts, prune
from shelldock.logs import instance_log, level_name, note
from shelldock.paths import Paths

DAY = 86400.0


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.below(tmp_path)


@pytest.fixture
def log(paths: Paths) -> Path:
    return instance_log(paths, "sw1", "a1")


def head(second: int, execution: str = "-", source: str = "out") -> str:
    return f"2026-03-01T12:00:{second:02}.250+0000 {execution} {source} "


def write(file: Path, *texts: str) -> None:
    with file.open("a") as written:
        written.writelines(f"{text}\n" for text in texts)


def rotate(log: Path) -> None:
    for file in parts(log):
        number = int(file.suffix[1:]) if file != log else 0
        file.rename(f"{log}.{number + 1}")


def texts(found: list[Line]) -> list[str]:
    return [line.text for line in found]


def test_a_line_has_time_execution_source_level_and_text_l1(log: Path) -> None:
    write(log, head(1, "e1") + "a  b ", head(2, "e1", "WARNING") + "lib: c", head(3) + "")
    first, second, third = lines(log)
    assert first == Line(time=1772366401.25, execution="e1", source="out", level="", text="a  b ")
    assert (second.source, second.level, second.text) == ("log", "WARNING", "lib: c")
    assert (third.execution, third.text) == ("", "")
    assert str(second).endswith(" e1 WARNING lib: c")
    assert lines_of(str(first)) == [first]


def lines_of(text: str) -> list[Line]:
    tail = Tail(Path("none"))
    return list(tail._take(text.encode()))


def test_what_was_written_past_python_is_whose_the_next_line_says_l1(log: Path) -> None:
    write(log, head(1, "e1") + "a", "raw 1", "raw 2", head(2, "e1", "raw") + "12 bytes above were")
    write(log, head(3, "e2") + "b", "raw 3")
    assert [(line.execution, line.source, line.text) for line in lines(log)] == [
        ("e1", "out", "a"),
        ("e1", "raw", "raw 1"),
        ("e1", "raw", "raw 2"),
        ("e2", "out", "b"),
        ("", "raw", "raw 3"),
    ]


def test_a_log_without_times_is_shown_as_it_is_l1(log: Path) -> None:
    log.write_bytes(b"one\ntwo \xff\r\nhalf")
    assert texts(lines(log)) == ["one", "two �\r", "half"]
    assert str(lines(log)[0]) == "- - raw one"


def test_lines_come_in_the_order_of_their_times_l1(log: Path) -> None:
    write(log, head(5) + "b", head(2, "e", "DEBUG") + "kept back", head(6) + "c")
    assert texts(lines(log)) == ["kept back", "b", "c"]


def test_the_files_of_a_log_are_read_as_one_l1(log: Path) -> None:
    for number in range(12):
        write(log, *[head(number) + f"{number} {line}" for line in range(3)])
        if number < 11:
            rotate(log)
    assert [file.name.removeprefix(log.name) for file in parts(log)] == [
        *(f".{number}" for number in range(11, 0, -1)),
        "",
    ]
    assert texts(lines(log)) == [f"{number} {line}" for number in range(12) for line in range(3)]
    assert texts(lines(log, 5)) == ["10 1", "10 2", "11 0", "11 1", "11 2"]


def test_whoever_follows_a_log_misses_nothing_when_it_is_continued_l1(log: Path) -> None:
    tail = Tail(log)
    assert tail.new() == []
    write(log, head(1) + "a")
    assert texts(tail.new()) == ["a"]
    write(log, head(2) + "b")
    rotate(log)
    write(log, head(3) + "c")
    rotate(log)
    assert tail.new() == []  # the moment at which there is no file of this name
    write(log, head(4) + "d")
    assert texts(tail.new()) == ["b", "c", "d"]
    write(log, head(5) + "e")
    assert texts(tail.new()) == ["e"]


def test_whoever_is_too_slow_goes_on_with_what_is_left_l1(log: Path) -> None:
    tail = Tail(log)
    write(log, head(1) + "a")
    tail.new()
    rotate(log)
    write(log, head(2) + "b")
    rotate(log)
    write(log, head(3) + "c")
    Path(f"{log}.2").unlink()
    assert texts(tail.new()) == ["b", "c"]


def test_half_a_line_is_waited_for_l1(log: Path) -> None:
    tail = Tail(log)
    log.write_text(head(1) + "hal")
    assert tail.new() == []
    write(log, "f")
    assert texts(tail.new()) == ["half"]


def test_what_nobody_claims_is_not_held_back_for_ever_l1(log: Path) -> None:
    tail = Tail(log)
    write(log, head(1) + "a", "raw")
    assert texts(tail.new()) == ["a"]
    assert texts(tail.new()) == ["raw"]


def test_the_lines_of_an_execution_are_found_in_whatever_log_r4(paths: Paths) -> None:
    one, other, third = (instance_log(paths, key, "a1") for key in ("sw1", "sw2", "sw3"))
    write(one, head(3, "e1") + "second", head(4, "e2") + "not this")
    write(other, head(1, "e1") + "first", head(2, "e10") + "nor this")
    write(third, head(1, "e2") + "speaks of e1 only")
    logs, found = of_execution(paths, "e1")
    assert texts(found) == ["first", "second"]
    assert {one.path for one in logs} >= {one, other}
    assert texts(of_execution(paths, "e1", "sw2")[1]) == ["first"]
    assert of_execution(paths, "e") == ([], [])


def test_the_host_adds_to_a_log_on_a_line_of_its_own_r4(log: Path) -> None:
    log.write_text(head(1) + "half a line")
    note(log, "lost: killed by SIGKILL", "e1")
    first, second = lines(log)
    assert first.text == "half a line"
    assert (second.execution, second.level, second.text) == (
        "e1",
        "INFO",
        "shelldock: lost: killed by SIGKILL",
    )
    assert second.time == pytest.approx(time.time(), abs=60)


def test_a_log_that_is_gone_is_not_made_again_for_the_hosts_sake_r4(
    log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    note(log, "lost")
    assert not log.exists()
    assert "cannot write to log" in caplog.text


def aged(log: Path, seconds: float) -> None:
    for file in [*parts(log), *log.with_suffix("").rglob("*")]:
        os.utime(file, (time.time() - seconds,) * 2)


def test_old_logs_go_with_all_that_belongs_to_them_l1(paths: Paths, log: Path) -> None:
    beside = log.with_suffix("") / "inventory" / "lib.log"
    beside.parent.mkdir(parents=True)
    for file in (log, Path(f"{log}.1"), beside):
        file.write_text("hello\n")
    aged(log, 20 * DAY)
    assert prune(paths, 30 * DAY) == []
    assert prune(paths, 14 * DAY) == [log]
    assert list(paths.logs.iterdir()) == []


def test_the_logs_of_the_living_stay_however_old_l1(paths: Paths, log: Path) -> None:
    log.write_text("hello\n")
    aged(log, 20 * DAY)
    room = paths.instances / "room" / "a1"
    room.mkdir(parents=True)
    (paths.instances / "room.lock").touch()
    assert prune(paths, 14 * DAY) == []
    room.rmdir()
    assert prune(paths, 14 * DAY) == [log]


def test_a_log_with_something_new_in_it_stays_l1(paths: Paths, log: Path) -> None:
    beside = log.with_suffix("") / "lib.log"
    beside.parent.mkdir(parents=True)
    log.write_text("hello\n")
    aged(log, 20 * DAY)
    beside.write_text("hello\n")
    assert prune(paths, 14 * DAY) == []


@pytest.mark.parametrize("given", ["debug", " INFO ", "Critical"])
def test_a_level_may_be_spelled_in_any_case_l1(given: str) -> None:
    assert level_name(given) == given.strip().upper()


def test_a_level_that_there_is_not_is_refused_with_those_that_there_are_l1() -> None:
    with pytest.raises(InputError, match="no log level 'loud'; known: DEBUG, INFO, WARNING"):
        level_name("loud")
