"""Logs are where their target's name leads, and the host's own are told as the command line wants them."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelldock.logs import configure, find, folder_name, instance_log, of_newest_instance
from shelldock.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.below(tmp_path)


def written(paths: Paths, key: str, id: str, age: float = 0) -> Path:
    log = instance_log(paths, key, id)
    log.write_text("hello\n")
    os.utime(log, (1e9 - age, 1e9 - age))
    return log


def test_each_instance_has_a_file_below_the_folder_of_its_scope_l1(paths: Paths) -> None:
    first, second = instance_log(paths, "sw1", "a1"), instance_log(paths, "sw1", "b2")
    assert first.parent == second.parent == paths.logs / "sw1"
    assert first != second
    assert first.parent.is_dir()
    assert not first.exists()


def test_what_an_instance_and_its_driver_wrote_belongs_together_its_own_first(paths: Paths) -> None:
    written(paths, "sw1", "a1", age=30)
    own = written(paths, "sw1", "b2", age=20)
    beside = own.with_suffix("") / "inventory" / "lib" / "sw1.log"
    beside.parent.mkdir(parents=True)
    beside.write_text("hello\n")
    assert [one.path for one in of_newest_instance(find(paths, "sw1"))] == [own, beside]


def test_logs_are_found_by_target_scope_or_instance_newest_first(paths: Paths) -> None:
    old = written(paths, "sandbox s1/MySQL [db]", "a1", age=60)
    new = written(paths, "sandbox s1/MySQL [db]", "b2")
    other = written(paths, "sw1", "c3", age=30)
    assert [one.path for one in find(paths)] == [new, other, old]
    assert [one.path for one in find(paths, "MySQL [db]")] == [new, old]
    assert [one.path for one in find(paths, "sandbox s1/mysql")] == [new, old]
    assert [one.path for one in find(paths, "c3")] == [other]
    assert find(paths, "nothing of that name") == []


def test_a_whole_name_goes_before_a_longer_one(paths: Paths) -> None:
    short = written(paths, "resource:sw1", "a1", age=60)
    longer = written(paths, "resource:sw10", "b2")
    assert [one.path for one in find(paths, "sw1")] == [short]
    assert [one.path for one in find(paths, "sw")] == [longer, short]


def test_what_a_driver_logs_by_itself_is_found_with_it(paths: Paths) -> None:
    log = written(paths, "sw1", "a1")
    own = log.with_suffix("") / "inventory" / "lib.log"
    own.parent.mkdir(parents=True)
    own.write_text("x")
    assert {one.path for one in find(paths, "sw1")} == {log, own}


@given(st.text(max_size=200))
def test_every_key_has_a_folder_name_that_is_safe(key: str) -> None:
    name = folder_name(key)
    assert name
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")
    assert len(name.encode()) < 100


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_two_keys_share_a_folder(one: str, other: str) -> None:
    assert (folder_name(one) == folder_name(other)) == (one == other)


def test_a_key_that_looks_like_a_folder_has_one_of_its_own() -> None:
    assert folder_name(folder_name("a b")) != folder_name("a b")


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, loop = root.handlers[:], root.level, logging.getLogger("asyncio").level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("asyncio").setLevel(loop)


def said(level: str, *, json: bool = False) -> str:
    to = io.StringIO()
    configure(level, json=json, to=to)
    try:
        raise ValueError("no\nroute")
    except ValueError:
        logging.getLogger("shelldock.test").exception("it went %s", "wrong")
    logging.getLogger("shelldock.test").info("by the way")
    return to.getvalue()


@pytest.mark.usefixtures("_restored")
def test_a_warning_is_one_line_without_a_trace() -> None:
    assert said("WARNING") == "shelldock: it went wrong: ValueError: no route\n"


@pytest.mark.usefixtures("_restored")
def test_verbose_logs_have_times_and_traces() -> None:
    text = said("DEBUG")
    assert "Traceback" in text
    assert "INFO    shelldock.test: by the way" in text


@pytest.mark.usefixtures("_restored")
def test_json_logs_are_one_object_a_line() -> None:
    first, second = map(json.loads, said("INFO", json=True).splitlines())
    assert (first["level"], first["message"], first["error"]) == (
        "error",
        "it went wrong",
        "ValueError",
    )
    assert "Traceback" in first["trace"]
    assert second["message"] == "by the way"
