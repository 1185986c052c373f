"""Replies hold whatever text the host has, and only what clients can read."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelldock_compat import infos
from shelldock_compat.infos import AttributeValueInfo, ResourceInfo
from shelldock_compat.replies import Info, failure, success

NAMESPACE = "{http://schemas.qualisystems.com/ResourceManagement/ApiCommandResult.xsd}"


def parse(reply: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(reply)


def info(reply: bytes) -> ElementTree.Element:
    found = parse(reply).find(f"{NAMESPACE}ResponseInfo")
    assert found is not None
    return found


def legal(text: str) -> str:
    """What XML can hold of ``text``, the rest replaced."""
    return "".join(
        "\ufffd"
        if (one < " " and one not in "\t\n\r")
        or one in "\ufffe\uffff"
        or "\ud800" <= one <= "\udfff"
        else one
        for one in text
    )


@given(st.text(st.characters(), max_size=200))
def test_an_attribute_holds_any_text_but_what_xml_cannot(text: str) -> None:
    assert info(success("X", AttributeValueInfo("", text))).get("Value") == legal(text)


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "\ud800", "\uffff", "a\r\nb\tc", "\U0001f600"])
def test_an_attribute_holds_text_that_breaks_naive_writers(text: str) -> None:
    assert info(success("X", AttributeValueInfo("", text))).get("Value") == legal(text)


@given(st.text(st.characters(), max_size=50), st.text(st.characters(), max_size=50))
def test_a_failure_names_the_operation_and_always_has_words(operation: str, message: str) -> None:
    root = parse(failure(operation, 100, message))
    assert root.get("Success") == "false"
    assert root.get("CommandName") == legal(operation)
    assert root.findtext(f"{NAMESPACE}ErrorCode") == "100"
    assert root.findtext(f"{NAMESPACE}Error")


def test_a_success_has_no_error_element_since_some_clients_take_its_presence_for_failure() -> None:
    assert b"<Error>" not in success("X")
    assert b'Success="true"' in success("X")


def test_a_success_without_content_has_no_response_info() -> None:
    assert b"ResponseInfo" not in success("X")


def test_the_namespace_is_spelt_as_clients_cut_it_out() -> None:
    spelling = b'xmlns="http://schemas.qualisystems.com/ResourceManagement/ApiCommandResult.xsd"'
    assert success("X").count(spelling) == 1


def test_only_the_outermost_element_has_a_type_and_has_it_first() -> None:
    reply = success("X", ResourceInfo(name="a", child_resources=(ResourceInfo(name="b"),)))
    assert reply.count(b"xsi:type") == 1
    assert b'<ResponseInfo xsi:type="ResourceInfo" ' in reply


def kinds(root: type[Info] = Info) -> list[type[Info]]:
    return [one for kind in root.__subclasses__() for one in (kind, *kinds(kind))]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_scalar_of_every_class_is_written_as_an_attribute(kind: type[Info]) -> None:
    assert kind.__module__ == infos.__name__
    filled = msgspec.convert(_filling(kind), kind)
    written = info(success("X", filled)).attrib
    scalars = {
        field.encode_name
        for field in msgspec.structs.fields(kind)
        if field.type in (str, bool, int)
    }
    assert scalars <= set(written)


def _filling(kind: type[Info]) -> dict[str, object]:
    """Values for the fields of ``kind`` that have no default."""
    return {
        field.encode_name: _value(field.type)
        for field in msgspec.structs.fields(kind)
        if field.required
    }


def _value(type_: object) -> object:
    if isinstance(type_, type) and issubclass(type_, Info):
        return _filling(type_)
    return 1 if type_ is int else "x"
