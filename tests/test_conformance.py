"""What the page about conformance says is what the tests show."""

from __future__ import annotations

from tests.conformance import GROUPS, LEVELS, PAGE, ids_in, page, rows, shown


def test_the_page_is_what_the_tests_say() -> None:
    assert PAGE.read_text() == page(), "write it again: python -m tests.conformance"


def test_every_row_is_shown_by_a_test_or_says_why_not() -> None:
    """A row that only may hold needs neither."""
    known = {one.row for one in shown()}
    excused = {row.id for row in rows() if row.left or row.open or row.level == "Y"}
    assert not {row.id for row in rows()} - known - excused, "put the id into the name of a test"


def test_no_test_carries_an_id_that_is_no_row() -> None:
    known = {row.id for row in rows()}
    assert not [one for one in shown() if one.row not in known]


def test_every_row_belongs_to_a_group_and_has_a_level_and_a_claim() -> None:
    assert {row.id[0] for row in rows()} == set(GROUPS)
    assert {row.level for row in rows()} == set(LEVELS)
    assert all(row.claim.endswith(".") for row in rows())


def test_the_id_of_a_row_is_a_word_of_its_own() -> None:
    found = {
        "test_a_command_waits_too_long_q4": ["q4"],
        "test_q4_and_d10_hold": ["q4", "d10"],
        "test_of_Q4_I13": ["Q4", "I13"],
        "Q4 one at a time": ["Q4"],
        "p2-blank": ["p2"],
        "test_q400_seq4_q4x_and_py3_9": [],
        "test_a_layer_1_driver_and_2_others": [],
    }
    assert {name: ids_in(name) for name in found} == found
