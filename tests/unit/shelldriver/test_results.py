"""Whatever a command returns becomes text, or is refused by type and place."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import json
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelldriver.results import ResultError, to_text


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Slotted:
    __slots__ = ("a", "unset")

    def __init__(self) -> None:
        self.a = 1


class Thing:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Discovered:
    """AutoLoadDetails whose parts are behind properties."""

    def __init__(self, *resources: Any) -> None:
        self._resources = list(resources)

    resources = property(lambda self: self._resources)
    attributes = property(lambda self: [])


class Found:
    model = property(lambda self: "M")
    name = property(lambda self: "P1")
    relative_address = property(lambda self: "1/1")
    unique_identifier = property(lambda self: None)

    def __init__(self) -> None:
        self._secret = object()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("as it is: {}", "as it is: {}"),
        ("", ""),
        (b"\xff raw", "\\xff raw"),
        (True, "true"),
        (12, "12"),
        (1.5, "1.5"),
        (float("nan"), "null"),
        ([1, (2, 3)], "[1, [2, 3]]"),
        ({"ä": None}, '{"ä": null}'),
        ({1: 1, None: 2, False: 3, (1, 2): 4}, '{"1": 1, "null": 2, "false": 3, "(1, 2)": 4}'),
        ({1}, "[1]"),
        (collections.deque([1]), "[1]"),
        ({"a": 1}.values(), "[1]"),
        (collections.OrderedDict(a=1), '{"a": 1}'),
        (Colour.RED, "red"),
        (Level.HIGH, "3"),
        ({Colour.RED: Colour.RED}, '{"red": "red"}'),
        (datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2020-01-02T03:04:05+00:00"),
        ([datetime.date(2020, 1, 2)], '["2020-01-02"]'),
        (decimal.Decimal("1.10"), "1.10"),
        (Path("/a/b"), "/a/b"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Thing(a=1, _b=[Thing(c=b"d")]), '{"a": 1, "_b": [{"c": "d"}]}'),
        (Slotted(), '{"a": 1}'),
    ],
)
def test_values_become_text_R1(value: object, text: str) -> None:
    assert to_text(value, 1000) == text


def test_discovered_structures_are_recognised_by_their_attributes_R7() -> None:
    found = {"relative_address": "1/1", "name": "P1", "model": "M", "unique_identifier": None}
    assert json.loads(to_text(Discovered(Found()), 1000)) == {
        "resources": [found],
        "attributes": [],
    }


@pytest.mark.parametrize(
    ("value", "place", "kind"),
    [
        (threading.Lock(), "result is", "lock"),
        ([1, {"a": threading.Lock()}], "result[1]['a'] is", "lock"),
        (Thing(inner=Thing(made=(one for one in "ab"))), "result.inner.made is", "generator"),
        (Thing, "result is", "type"),
        ([print], "result[0] is", "builtin_function_or_method"),
        (object(), "result is", "object"),
        (json, "result is", "module"),
    ],
)
def test_what_is_no_data_is_refused_by_type_and_place_R1(
    value: object, place: str, kind: str
) -> None:
    with pytest.raises(ResultError, match="cannot become text") as caught:
        to_text(value, 1000)
    assert place in str(caught.value)
    assert kind in str(caught.value)


def test_a_circle_is_refused_by_its_places() -> None:
    parts: list[Any] = []
    whole = Thing(parts=parts)
    parts.append({"whole": whole})
    with pytest.raises(ResultError, match=r"result\.parts\[0\]\['whole'\] leads back to result$"):
        to_text(whole, 1000)


def test_what_is_shared_is_no_circle() -> None:
    part = Thing(a=1)
    assert to_text([part, part], 1000) == '[{"a": 1}, {"a": 1}]'


def test_what_is_shared_a_thousandfold_ends_at_the_limit() -> None:
    whole: list[Any] = []
    for _ in range(60):
        whole = [whole, whole]
    with pytest.raises(ResultError, match="more than 1000 parts"):
        to_text(whole, 1000)


def test_nesting_without_end_is_refused() -> None:
    whole: list[Any] = []
    for _ in range(100_000):
        whole = [whole]
    with pytest.raises(ResultError, match="nested too deeply"):
        to_text(whole, 10**6)


@pytest.mark.parametrize("value", ["ä" * 501, b"a" * 1001, ["a" * 999]])
def test_sizes_are_counted_in_bytes(value: object) -> None:
    with pytest.raises(ResultError, match=r"the result has 10\d\d bytes, 1000 are allowed"):
        to_text(value, 1000)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@given(st.lists(_JSON))
def test_data_comes_through_as_it_is(value: list[Any]) -> None:
    assert json.loads(to_text(value, float("inf"))) == value
