"""Tokens name their subject, cannot be forged, and cost no memory."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelldock.tokens import Tokens


@given(st.text())
def test_a_token_names_the_subject_it_was_minted_for(subject: str) -> None:
    tokens = Tokens()
    assert tokens.subject(tokens.mint(subject)) == subject


@given(st.text())
def test_a_token_has_only_hexadecimal_digits(subject: str) -> None:
    assert set(Tokens().mint(subject)) <= set(string.hexdigits.lower())


def test_a_token_of_another_host_is_not_accepted() -> None:
    assert Tokens().subject(Tokens().mint("execution-1")) is None


def test_hosts_that_share_a_key_accept_each_others_tokens() -> None:
    key = b"k" * 32
    assert Tokens(key).subject(Tokens(key).mint("execution-1")) == "execution-1"


def test_every_single_changed_digit_is_noticed() -> None:
    tokens = Tokens()
    token = tokens.mint("execution-1")
    for place, digit in enumerate(token):
        other = "0" if digit != "0" else "1"
        assert tokens.subject(token[:place] + other + token[place + 1 :]) is None


@given(st.text())
def test_arbitrary_text_is_no_token(text: str) -> None:
    assert Tokens().subject(text) is None


@pytest.mark.parametrize("text", ["", "0" * 64, "Unset", "\ud800", "é" * 70, "0" * 63])
def test_malformed_text_is_no_token(text: str) -> None:
    assert Tokens().subject(text) is None


def test_a_token_has_one_spelling() -> None:
    tokens = Tokens()
    token = tokens.mint("execution-1")
    assert tokens.subject(token.upper()) is None
    assert tokens.subject(token[:66] + " " + token[66:]) is None
