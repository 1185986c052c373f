"""Exceptions are told in words, even those that resist."""

from __future__ import annotations

import pytest

from shelldriver import failures


class Own(Exception):
    def __str__(self) -> str:
        return "own words"


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError

    __repr__ = __str__


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("plain"), "plain"),
        (ValueError(), ""),
        (Exception("Component", "text", 3), "Component: text: 3"),
        (OSError(2, "No such file", "x"), "[Errno 2] No such file: 'x'"),
        (Own(1, 2), "own words"),
        (KeyError("k"), "'k'"),
        (Exception(Mute(), "x"), "(its text cannot be had: __str__ of Exception raises)"),
    ],
)
def test_messages_join_several_arguments_and_keep_own_words(
    error: BaseException, text: str
) -> None:
    assert failures.message(error) == text


def test_one_line_is_one_line() -> None:
    assert failures.one_line(ValueError("a\n  b")) == "ValueError: a b"
    assert failures.one_line(ValueError()) == "ValueError"


def test_causes_are_in_the_trace_R4() -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error
    except ValueError as error:
        described = failures.described(error)
    assert described["type"] == "ValueError"
    assert "KeyError: 'first'" in described["trace"]
    assert described["trace"].endswith("ValueError: second\n")


def test_an_exception_that_cannot_be_shown_is_described_all_the_same() -> None:
    described = failures.described(Mute())
    assert described["type"] == "Mute"
    assert "Mute" in described["trace"]


def test_giant_messages_are_cut_in_the_middle() -> None:
    text = failures.described(ValueError("a" + "x" * 10**6 + "z"))["text"]
    assert len(text) < 250_000
    assert text.startswith("a")
    assert text.endswith("z")


def test_a_place_is_relative_to_the_folder_and_not_of_one_with_a_longer_name() -> None:
    assert failures.relative("/a/b/c.py", "/a/b") == "c.py"
    assert failures.relative("/a/bc/c.py", "/a/b") == ""
    assert failures.relative(None, "/a/b") == ""
