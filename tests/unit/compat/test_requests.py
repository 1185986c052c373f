"""Requests are read by name, whatever clients send in them and wherever they put their token."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelldock.errors import InputError
from shelldock_compat.requests import read_fields, read_path, read_token


def test_fields_are_read_by_name_in_any_order() -> None:
    fields = read_fields(b"<X><b>2</b><a>1</a><unknown/></X>")
    assert (fields.text("a"), fields.text("b")) == ("1", "2")


def test_a_field_that_is_missing_or_empty_is_empty() -> None:
    fields = read_fields(b"<X><a/></X>")
    assert (fields.text("a"), fields.text("b"), fields.objects("c")) == ("", "", [])


def test_a_namespace_does_not_hide_a_field() -> None:
    assert read_fields(b'<X xmlns="urn:x"><a>1</a></X>').text("a") == "1"


def test_references_are_read_as_characters() -> None:
    assert read_fields(b"<X><a>w&#246;rld&#x1F600;&#10;&#0041;</a></X>").text("a") == "wörld😀\n)"


@pytest.mark.parametrize(
    "reference",
    ["&#0;", "&#27;", "&#x1b;", "&#55296;", "&#xFFFF;", "&#x110000;", "&#" + "9" * 50 + ";"],
)
def test_a_reference_to_no_character_becomes_a_replacement(reference: str) -> None:
    assert read_fields(f"<X><a>x{reference}y</a></X>".encode()).text("a") == "x\ufffdy"


def test_raw_control_bytes_are_dropped_but_not_line_ends_and_tabs() -> None:
    raw = bytes(range(32)).replace(b"\r", b"")
    assert read_fields(b"<X><a>" + raw + b"</a></X>").text("a") == "\t\n"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(InputError):
        read_fields(body)


@given(st.text(st.characters(codec="utf-8"), max_size=100))
def test_any_text_in_a_field_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        read_fields(f"<X><a>{text}</a></X>".encode())


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE X [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;&a;">]><X><a>&b;</a></X>',
        b'<!DOCTYPE X [<!ENTITY a SYSTEM "file:///etc/passwd">]><X><a>&a;</a></X>',
        b"<!DOCTYPE X><X/>",
    ],
    ids=["bomb", "external", "doctype"],
)
def test_entities_and_document_types_are_refused(body: bytes) -> None:
    with pytest.raises(InputError, match="entities or a document type"):
        read_fields(body)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("MachineName=host:8029;Token=abc", "abc"),
        ("Token=abc;MachineName=host:8029", "abc"),
        ("machinename=h; token = abc ", "abc"),
        ("MachineName=host;Token=a=b==", "a=b=="),
        ("MachineName=host:8029;Token=", ""),
        ("Basic abc", "abc"),
        ("bearer abc", "abc"),
        ("", ""),
        ("Digest username=x", ""),
    ],
)
def test_a_token_is_found_in_every_header_that_clients_send(header: str, token: str) -> None:
    assert read_token(header) == token


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/ResourceManagerApiService/Logon", ("ResourceManagerApiService", "Logon")),
        ("//Api//RmApi///X/", ("Api", "RmApi", "X")),
        ("/API/Shells/My%20Switch?x=/y", ("API", "Shells", "My Switch")),
        ("/", ()),
        ("*", ("*",)),
    ],
)
def test_a_path_is_split_and_decoded(target: str, path: tuple[str, ...]) -> None:
    assert read_path(target) == path
