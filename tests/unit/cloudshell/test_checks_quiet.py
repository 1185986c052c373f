"""What only looks wrong is left alone, odd files stop nothing, and the page tells the rules as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.cloudshell.checking import GO, HEAD, PARAMETER, STOP, TAKES, check, metadata, source
from tests.unit.cloudshell.conftest import Write

from shelldock_cloudshell.checks import shelldock_check_shell
from shelldock_cloudshell.checks.rules import RULES
from shelldock_cloudshell.reader import Reader

PAGE = Path(__file__).parents[3] / "docs/reference/checks.md"

INNOCENT = {
    "order of parameters": source(
        GO("", "<Parameters><Parameter Name='b'/><Parameter Name='a'/></Parameters>"), TAKES("a, b")
    ),
    "what the host fills": source(
        GO("", ""), "def go(self, context, ports, request, requests, a=1): ..."
    ),
    "keywords of any name": source(
        GO(STOP("true"), PARAMETER("a", "")), "def go(self, context, **more): ..."
    ),
    "annotations": source(
        GO("", PARAMETER("a", "")), "def go(self, context: 'no.such', a: Nothing = 1) -> None: ..."
    ),
    "cancellation refused": source(GO(STOP("false"), ""), TAKES("cancellation_context")),
    "life cycle and discovery": source(
        "<Command Name='cleanup'/>",
        "def initialize(self, context): ...\ndef cleanup(self): ...\ndef get_inventory(self, context): ...",
    ),
    "commands of a base here": {
        **source(GO("", ""), base="class B:\n    def go(self): ...\n"),
        "driver.py": "from base import B\nclass D(B): pass\n",
    },
    "a class from elsewhere": {
        **source(requirements="acme<2"),
        "driver.py": "from acme import D\n",
    },
    "spellings of the metadata": source(
        GO(
            "ENABLECANCELLATION='True' tags='remote_mine, power,allow_shared,'",
            PARAMETER("a", "type='lookup' allowedvalues='x' mandatory=' TRUE '"),
        ),
        TAKES("a, cancellation_context"),
    ),
    "attributes of other name spaces": source(head=f'xmlns:x="urn:x" x:schemaLocation="y" {HEAD}'),
    "words of Python 2 in texts": source(
        above="# print 'a' `b` <>\na = '''\nprint 'x'\n0755 ur'a'\n'''\nb = \"a <> b\"\n"
    ),
    "either Python": source(
        above=(
            "import sys\nfrom collections import OrderedDict\n"
            "try:\n    import urllib2\nexcept ImportError:\n    import urllib.request as urllib2\n"
            "try:\n    text = unicode\nexcept NameError:\n    text = str\n"
            "if sys.version_info[0] == 2:\n    import ConfigParser\n    a = xrange(3)\n"
        )
    ),
    "names of one's own": source(
        above="def unicode(a): return a\n",
        methods="def _a(self, file, long): return unicode(file), long",
    ),
    "a dictionary of another kind": source(
        above="import six\n",
        methods="def _a(self, b): return six.iteritems(b), six.itervalues(b)",
        requirements="six<2",
    ),
    "imports for checkers and for the program alone": source(
        above=(
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nmap\n"
            "if __name__ == '__main__':\n    import mock\n"
        )
    ),
    "modules here": source(
        above="import one.two\nfrom one import two\nimport three\n",
        one__two="from . import four\nfrom .four import x\nfrom ..three import y\n",
        one__four="",
        three="",
    ),
    "modules that the driver does not need": source(
        tests__test_driver="import pytest\n", tool="import nmap\n"
    ),
    "what requirements provide by another name": source(
        above=(
            "import yaml, OpenSSL.crypto, git, dateutil.parser, google.protobuf, azure.mgmt.network\n"
            "import cloudshell.shell.core.driver_context\nfrom cloudshell.api import cloudshell_api\n"
            "from cloudshell.workflow.orchestration import sandbox\nimport ixload, pkg_resources\n"
            "from cloudshell.networking.cisco.ios import x\n"
        ),
        requirements=(
            "PyYAML<7\npyOpenSSL==20\nGitPython~=3.0\npython_dateutil<3\nprotobuf<4\nazure-mgmt-network==1\n"
            "CloudShell.Shell_Core<7\ncloudshell-automation-api<2027\ncloudshell-orch-core<5\npyixload<4\n"
            "setuptools<81\ncloudshell-networking-cisco<8\n"
        ),
    ),
    "requirements that are bounded": {
        **source(
            requirements=(
                "a==1\nb~=2.0\nc>=1,<2\nd<=3\ne===x\nf==1.* --hash=sha256:00\ng \\\n  <2  # why\n"
                "h @ https://example.com/h-1.0.zip\ngit+https://example.com/i.git@v1#egg=i\nj\n-c limits.txt\n"
                "--pre\n--extra-index-url https://example.com/simple\n"
            )
        ),
        "limits.txt": "J==1\n",
    },
}


@pytest.mark.parametrize("name", INNOCENT)
def test_what_only_looks_wrong_is_left_alone_l3_d8(name: str, write: Write, reader: Reader) -> None:
    assert check(reader, write(INNOCENT[name])) == []


def test_a_driver_for_python_2_may_use_what_python_2_has_l3_d9(
    write: Write, reader: Reader
) -> None:
    head = HEAD.replace('PythonVersion="3"', "")
    files = source(above="import urllib2\na = xrange(3)\n", head=head)
    assert [one.rule for one in check(reader, write(files))] == ["python-2"]


def test_one_line_of_the_requirements_is_asked_for_once_l3(write: Write, reader: Reader) -> None:
    above = "import paramiko\nfrom paramiko import client\nimport cloudshell.api.a\nimport cloudshell.api.b\n"
    found = check(reader, write(source(above=above, requirements="cloudshell-cli<6")))
    assert [one.rule for one in found] == ["uncovered-import", *["indirect-import"] * 2]


def test_every_sign_of_python_2_in_a_module_is_found_at_once_l3(
    write: Write, reader: Reader
) -> None:
    text = "print 'a'\n\nx = '''\nprint 'no'\n'''\n  \ntry:\n    a = `1`\nexcept A, e:\n    pass\n"
    found = check(reader, write(source(more=text)))
    assert [(one.line, one.column) for one in found] == [(1, 1), (9, 1), (8, 9)]
    assert {one.rule for one in found} == {"python2-syntax"}


def test_requirements_of_a_distributions_extra_are_checked_too_l3(
    write: Write, reader: Reader
) -> None:
    files = source(above="import paramiko\n")
    del files["requirements.txt"]
    shell = reader.read(write(files))
    assert shell is not None
    assert shell.driver is not None
    extra = replace(shell.driver, requirements=("paramiko", "yaml"))
    found = shelldock_check_shell(replace(shell, driver=extra)) or []
    assert [(one.rule, one.line) for one in found] == [
        ("unpinned-requirement", 0),
        ("unpinned-requirement", 0),
    ]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    python=st.binary(max_size=300),
    requirements=st.text(max_size=200),
    commands=st.text(max_size=60),
)
def test_nothing_in_the_files_of_a_driver_stops_the_check_l3(
    python: bytes, requirements: str, commands: str, tmp_path: Path
) -> None:
    folder = tmp_path / "any"
    folder.mkdir(exist_ok=True)
    (folder / "drivermetadata.xml").write_text(metadata(GO(f"Tags='{len(commands)}'", "")))
    (folder / "driver.py").write_bytes(python)
    (folder / "requirements.txt").write_text(
        requirements, encoding="utf-8", errors="surrogateescape"
    )
    for one in check(Reader(tmp_path / "cache"), folder):
        assert one.rule in RULES


@pytest.mark.parametrize(
    "text",
    ["x = " + "+".join("a" * 20_000), "x = " + "(" * 5000, "if x:\n pass\nel" * 3, "\ufeffprint 1"],
)
def test_odd_modules_do_not_stop_the_check_l3(text: str, write: Write, reader: Reader) -> None:
    rules = {one.rule for one in check(reader, write(source(more=text)))}
    assert rules <= {"syntax-error", "python2-syntax"}


def test_the_page_lists_every_rule_as_it_is_l3() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    assert [
        (name, severity, about.partition(". ")[0].rstrip(".") + ".")
        for name, severity, about in rows
        if name in RULES
    ] == [tuple(rule) for rule in RULES.values()]
    assert {name for name, *_ in rows} - set(RULES) == {"unreadable", "check-failed"}
