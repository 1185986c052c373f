"""``drivermetadata.xml`` is read as real ones are written, and refused with line and column where it is malformed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shelldock.errors import ShellError
from shelldock.model import Parameter
from shelldock_cloudshell.metadata import Metadata, read


def parsed(tmp_path: Path, text: str | bytes) -> Metadata:
    path = tmp_path / "drivermetadata.xml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path)


def test_every_attribute_arrives_D2(tmp_path: Path) -> None:
    found = parsed(
        tmp_path,
        """<?xml version="1.0" encoding="utf-8"?>
        <Driver Name="Demo Driver" MainClass="driver.Demo" Version="1.2" Description="For demos" PythonVersion="3">
          <Layout>
            <Category Name="Power">
              <Command Name="PowerOn" DisplayName="Power On" Description="On" Tags="power, allow_unreserved,"
                       EnableCancellation="True" Visibility="AdminOnly">
                <Parameters>
                  <Parameter Name="mode" DisplayName="Mode" Description="How" Type="Lookup" Mandatory = "True"
                             DefaultValue="soft" AllowedValues="soft, hard,"/>
                </Parameters>
              </Command>
            </Category>
            <Category Name="Hidden Commands"><Command Name="Deploy"/></Category>
            <Command Name="plain" Tags=""/>
          </Layout>
        </Driver>""",
    )
    power, deploy, plain = found.commands
    assert (found.name, found.main_class, found.version) == ("Demo Driver", "driver.Demo", "1.2")
    assert (found.python, found.description) == ("3", "For demos")
    assert (power.label, power.category, power.tags) == (
        "Power On",
        "Power",
        ("power", "allow_unreserved"),
    )
    assert power.cancellable
    assert power.admin_only
    assert not power.hidden
    assert power.parameters == (
        Parameter(
            name="mode",
            label="Mode",
            description="How",
            mandatory=True,
            default="soft",
            choices=("soft", "hard"),
        ),
    )
    assert deploy.hidden
    assert (plain.tags, plain.cancellable, plain.hidden, plain.category) == ((), False, False, "")


@pytest.mark.parametrize(
    "text",
    [
        '<driver name="D" mainclass="d.D"><layout><command NAME=" go " enablecancellation="TRUE"/></layout></driver>',
        '<Driver Name=" D " MainClass=" d.D " New="1"><Layout><Command Name="go" Colour="red" '
        'EnableCancellation=" true "/></Layout></Driver>',
        '<Driver xmlns="urn:x" Name="D" MainClass="d.D"><Layout><Command Name="go" EnableCancellation="1"/>'
        "</Layout></Driver>",
        '\ufeff<Driver Name="D" MainClass="d.D"><Layout><!-- note --><Command Name="go" '
        'EnableCancellation="true"/></Layout></Driver>',
    ],
    ids=[
        "D2 case",
        "D2 blanks and unknown attributes",
        "D2 name space",
        "D2 byte order mark and comment",
    ],
)
def test_variations_mean_the_same(tmp_path: Path, text: str) -> None:
    found = parsed(tmp_path, text)
    assert (found.name, found.main_class) == ("D", "d.D")
    assert [(one.name, one.cancellable) for one in found.commands] == [("go", True)]


@pytest.mark.parametrize(
    "text",
    ['<Driver Name="D" MainClass="d.D"/>', '<Driver Name="D" MainClass="d.D"><Layout/></Driver>'],
    ids=["D2 no layout", "D2 empty layout"],
)
def test_no_commands_are_no_error(tmp_path: Path, text: str) -> None:
    assert parsed(tmp_path, text).commands == ()


def test_python_version_absent_is_none_D9(tmp_path: Path) -> None:
    assert parsed(tmp_path, '<Driver MainClass="d.D"/>').python is None
    assert parsed(tmp_path, '<Driver MainClass="d.D" PythonVersion=""/>').python is None
    assert parsed(tmp_path, '<Driver MainClass="d.D" PythonVersion=" 2 "/>').python == "2"


def test_of_a_command_listed_twice_the_first_counts_D8(tmp_path: Path) -> None:
    found = parsed(
        tmp_path,
        '<Driver MainClass="d.D"><Layout><Command Name="go" DisplayName="first"/><Command Name="other"/>'
        '<Command Name="go" DisplayName="second"/></Layout></Driver>',
    )
    assert [(one.name, one.label) for one in found.commands] == [("go", "first"), ("other", "")]


def test_only_a_lookup_has_a_closed_list_D7(tmp_path: Path) -> None:
    found = parsed(
        tmp_path,
        '<Driver MainClass="d.D"><Layout><Command Name="go"><Parameters>'
        '<Parameter Name="a" Type="String" AllowedValues="x,y"/>'
        '<Parameter Name="b" Type="lookup" AllowedValues=""/>'
        '<Parameter Name="c" DefaultValue="None"/><Parameter Name="d" DefaultValue=""/>'
        "</Parameters></Command></Layout></Driver>",
    )
    a, b, c, d = found.commands[0].parameters
    assert (a.choices, b.choices) == ((), ())
    assert (a.default, c.default, d.default) == (None, "None", "")


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]>
<Driver Name="&lol3;" MainClass="d.D"/>"""
OUTSIDE = (
    """<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Driver Name="&x;" MainClass="d.D"/>"""
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "declares XML entities"),
        (OUTSIDE, "declares XML entities"),
        (
            '<Driver\n  Name="x"\n  <Layout/></Driver>',
            r"not well-formed XML: .* at line 3, column 3",
        ),
        ('<Driver{{ x }} Name="x"/>', "line 1, column 8"),
        ("", "not well-formed XML: no element found at line 1"),
        ("<Shell/>", "root element is 'shell', not 'Driver'"),
        (
            b'<?xml version="1.0" encoding="klingon"?><Driver/>',
            "not well-formed XML: unknown encoding|not readable",
        ),
        (b"\xff\xfe\x00", "not well-formed XML|not readable XML"),
        (b"<Driver>" + b" " * (9 * 2**20), "larger than 8 MiB"),
    ],
    ids=[
        "bomb",
        "outside",
        "malformed",
        "template",
        "empty",
        "root",
        "encoding",
        "binary",
        "large",
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    with pytest.raises(ShellError, match=reason) as caught:
        parsed(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "drivermetadata.xml" in str(caught.value)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=8)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    commands=st.dictionaries(
        NAMES.filter(str.strip), st.tuples(VALUES, VALUES, st.booleans()), max_size=5
    )
)
def test_any_names_and_values_come_back(
    tmp_path: Path, commands: dict[str, tuple[str, str, bool]]
) -> None:
    lines = [
        f"<Command Name={quoteattr(name)} DisplayName={quoteattr(label)} Tags={quoteattr(tags)} "
        f"EnableCancellation={quoteattr(str(stop))}/>"
        for name, (label, tags, stop) in commands.items()
    ]
    found = parsed(tmp_path, f'<Driver MainClass="d.D"><Layout>{"".join(lines)}</Layout></Driver>')
    expected = {
        name.strip(): (label.strip(), stop) for name, (label, _, stop) in reversed(commands.items())
    }
    assert {one.name: (one.label, one.cancellable) for one in found.commands} == expected
    for one in found.commands:
        assert all(tag == tag.strip() and tag and "," not in tag for tag in one.tags)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=200)
    | st.text(st.sampled_from('<>/="& DriverLayout'), max_size=80).map(str.encode)
)
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    with suppress(ShellError):
        assert parsed(tmp_path, content).main_class is not None
