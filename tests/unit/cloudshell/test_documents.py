"""What YAML says is kept by its content, so that the parser is needed once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shelldock.errors import ShellError
from shelldock_cloudshell import yamls
from shelldock_cloudshell.documents import parse_yaml

TEXT = "version: 1.10\nnothing:\n? 1\n: [No, {on: ~}]\n"
MEANS = {"version": "1.10", "nothing": None, "1": ["No", {"on": None}]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shell-definition.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def unparsed(path: Path, text: str) -> dict[str, object]:
    raise AssertionError(f"{path} is parsed")


def test_a_text_is_parsed_once(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_yaml(file, tmp_path / "cache") == MEANS
    monkeypatch.setattr(yamls, "parse", unparsed)
    assert parse_yaml(file, tmp_path / "cache") == MEANS
    file.write_text("other: text")
    with pytest.raises(AssertionError):
        parse_yaml(file, tmp_path / "cache")


@pytest.mark.parametrize("content", ["", "[]", '{"version": '])
def test_what_was_kept_and_is_damaged_is_made_anew(
    file: Path, tmp_path: Path, content: str
) -> None:
    parse_yaml(file, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    whole = kept.read_bytes()
    kept.write_text(content)
    assert parse_yaml(file, tmp_path / "cache") == MEANS
    assert kept.read_bytes() == whole


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ("!!timestamp 2026-11-29", date(2026, 11, 29)),
        ("!!binary YQ==", b"a"),
        ("!!set {a: , b: }", {"a", "b"}),
        ("{~: 1}", {None: "1"}),
    ],
)
def test_what_json_would_change_is_not_kept(
    file: Path, tmp_path: Path, value: str, means: object
) -> None:
    file.write_text(f"value: {value}")
    for _ in range(2):
        assert parse_yaml(file, tmp_path / "cache") == {"value": means}
    assert not list(tmp_path.glob("cache/*"))


def test_without_a_cache_that_can_be_written_it_is_parsed_each_time(
    file: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("no folder")
    for _ in range(2):
        assert parse_yaml(file, tmp_path / "cache") == MEANS


def test_what_cannot_be_read_is_not_kept(file: Path, tmp_path: Path) -> None:
    file.write_text("a: [")
    with pytest.raises(ShellError, match="line 1, column"):
        parse_yaml(file, tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))
