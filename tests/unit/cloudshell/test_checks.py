"""Each rule finds what it is for, at its place."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from tests.unit.cloudshell.checking import (
    GO,
    HEAD,
    LOOKUP,
    META,
    PARAMETER,
    STOP,
    TAKES,
    check,
    source,
)
from tests.unit.cloudshell.conftest import Write

from shelldock_cloudshell.checks.rules import RULES
from shelldock_cloudshell.reader import Reader


class Case(NamedTuple):
    """What a rule finds: in which file and line, and words of its message."""

    rule: str
    files: dict[str, str | bytes]
    file: str
    line: int
    words: str


DRIFT = [
    Case(
        "missing-class",
        source(head=HEAD.replace("driver.D", "drivr.D")),
        META,
        1,
        "no module 'drivr'",
    ),
    Case(
        "missing-class", source(head=HEAD.replace("driver.D", "driver.E")), META, 1, "no class 'E'"
    ),
    Case(
        "missing-method", source(GO("", ""), "def goo(self, context): ..."), META, 3, "mean 'goo'"
    ),
    Case("missing-method", source(GO("", ""), "def _go(self, context): ..."), META, 3, "driver.D"),
    Case(
        "unseen-method",
        {**source(GO("", "")), "driver.py": "from cloudshell.x import T\nclass D(T): pass\n"},
        META,
        3,
        "base class 'T'",
    ),
    Case(
        "undeclared-method",
        source(methods="\n\ndef go(self, context): ..."),
        "driver.py",
        4,
        "'go'",
    ),
    Case(
        "undeclared-method",
        {
            **source(base="class B:\n    def go(self): ...\n"),
            "driver.py": "from base import B\nclass D(B): pass\n",
        },
        "base.py",
        2,
        "'go'",
    ),
    Case(
        "unknown-parameter",
        source(GO("", "\n" + PARAMETER("a", "")), TAKES("b=1, c=2")),
        META,
        4,
        "no parameter 'a': what callers give is lost",
    ),
    Case(
        "unknown-parameter",
        source(GO("", "\n" + PARAMETER("a", "")), TAKES("b")),
        META,
        4,
        "goes to 'b'",
    ),
    Case("undeclared-parameter", source(GO("", ""), TAKES("a")), "driver.py", 2, "requires 'a'"),
    Case(
        "undeclared-parameter",
        source(GO("", ""), "def go(self, ctx): ..."),
        "driver.py",
        2,
        "requires 'ctx'",
    ),
    Case(
        "cancellation-undeclared",
        source(GO("", ""), TAKES("cancellation_context")),
        META,
        3,
        "'go'",
    ),
    Case("cancellation-ignored", source(GO(STOP("True"), ""), TAKES("a=1")), META, 3, "'go'"),
]
DECLARED = [
    Case(
        "duplicate-command", source(f"{GO('', '')}\n{GO('', '')}", TAKES("a=1")), META, 4, "line 3"
    ),
    Case(
        "duplicate-parameter",
        source(GO("", f"{PARAMETER('a', '')}\n{PARAMETER('a', '')}"), TAKES("a")),
        META,
        4,
        "parameter 'a' is declared on line 3",
    ),
    Case("nameless", source("<Category Name='x'><Command/></Category>"), META, 3, "a Command"),
    Case(
        "nameless",
        source(GO("", "<Parameters>\n<Parameter/></Parameters>"), TAKES("a=1")),
        META,
        4,
        "Param",
    ),
    Case(
        "lookup-without-choices",
        source(GO("", LOOKUP("AllowedValues=' , '")), TAKES("a")),
        META,
        3,
        "'a'",
    ),
    Case(
        "lookup-default",
        source(GO("", LOOKUP("AllowedValues='x, y' DefaultValue='X'")), TAKES("a")),
        META,
        3,
        "'X' of 'a' is none of 'x', 'y'",
    ),
    Case(
        "unknown-tag", source(GO("Tags='allow_share'", ""), TAKES("a=1")), META, 3, "'allow_shared'"
    ),
    Case(
        "unknown-attribute",
        source(GO("EnableCancelation='true'", ""), TAKES("a=1")),
        META,
        3,
        "mean EnableCancellation",
    ),
    Case(
        "unknown-value", source(GO("Visibility='Admin'", ""), TAKES("a=1")), META, 3, "'adminonly'"
    ),
    Case(
        "unknown-value",
        source(GO("", PARAMETER("a", "Mandatory='y'")), TAKES("a")),
        META,
        3,
        "Mandatory",
    ),
    Case("no-metadata", {"driver.py": "class MyDriver: pass\n"}, ".", 0, "Python 2"),
    Case(
        "no-driver",
        {
            "shell-definition.yaml": "metadata: {template_name: A}\nnode_types: {vendor.A: {derived_from: x}}\n"
        },
        ".",
        0,
        "no commands",
    ),
]
PYTHON_2 = [
    Case("python-2", source(head=HEAD.replace('PythonVersion="3"', "")), META, 1, "absent"),
    Case("python-2", source(head=HEAD.replace('"3"', '"2"')), META, 1, "'2'"),
    *(
        Case("python2-syntax", source(more=f"a = 1\n{text}\n"), "more.py", 2, words)
        for text, words in {
            "print 'hello %s' % a": "print",
            "if a: print a": "print",
            "print >>f, a": "print",
            "exec 'a = 2' in {}": "exec",
            "b = `a`": "backticks",
            "a <> 2": "<>",
            "b = ur'a'": "'ur'",
            "b = 10L": "long",
            "b = 0755": "octal",
            "raise ValueError, 'a'": "raised with a comma",
        }.items()
    ),
    Case(
        "python2-syntax", source(more="try: pass\nexcept (A, B), e: pass\n"), "more.py", 2, "comma"
    ),
    Case(
        "python2-syntax", source(more="try: pass\nexcept A.b, e:\n  pass\n"), "more.py", 2, "comma"
    ),
    Case(
        "python2-syntax", source(more="import sys\nprint >>sys.stderr, 'a'\n"), "more.py", 2, ">>"
    ),
    Case("python2-syntax", source(package__more="x = 1\nprint x\n"), "package/more.py", 2, "print"),
    Case(
        "syntax-error", source(more="a = 1\ndef go(self:\n    pass\n"), "more.py", 2, "cannot read"
    ),
    Case("syntax-error", source(more="a = '\0'\n"), "more.py", 0, "null byte"),
    Case("python2-module", source(above="import urllib2\n"), "driver.py", 1, "urllib.request"),
    Case(
        "python2-module", source(above="from StringIO import StringIO\n"), "driver.py", 1, "from io"
    ),
    Case(
        "python2-module",
        source(above="from urllib import quote\n"),
        "driver.py",
        1,
        "'urllib.quote'",
    ),
    Case(
        "python2-name",
        source(methods="def _a(self):\n    for i in xrange(3): pass"),
        "driver.py",
        3,
        "range",
    ),
    Case(
        "python2-name",
        source(methods="def _a(self, b):\n    return b.iteritems()"),
        "driver.py",
        3,
        "items()",
    ),
    Case(
        "python2-name",
        source(methods="def _a(self, b):\n    return b.has_key(1)"),
        "driver.py",
        3,
        "'in'",
    ),
    Case(
        "python2-name",
        source(methods="def _a(self, b):\n    return unicode(b)"),
        "driver.py",
        3,
        "str",
    ),
    Case(
        "implicit-relative-import",
        source(above="import inner.one\n", inner__one="import two\n", inner__two=""),
        "inner/one.py",
        1,
        "from .two import",
    ),
]
IMPORTS = [
    Case("dropped-module", source(above="import telnetlib\n"), "driver.py", 1, "Python 3.13"),
    Case("uncovered-import", source(above="import paramiko\n"), "driver.py", 1, "'paramiko'"),
    Case(
        "uncovered-import",
        source(above="import yaml\n", requirements="jinja2<4"),
        "driver.py",
        1,
        "'yaml'",
    ),
    Case(
        "uncovered-import",
        source(above="import cloudshell.api\n"),
        "driver.py",
        1,
        "'cloudshell.api'",
    ),
    Case(
        "uncovered-import",
        source(methods="def _a(self):\n    import nmap"),
        "driver.py",
        3,
        "'nmap'",
    ),
    Case(
        "uncovered-import", source(above="import one\n", one="import nmap\n"), "one.py", 1, "'nmap'"
    ),
    Case(
        "indirect-import",
        source(above="from cloudshell.api.x import y\n", requirements="cloudshell-shell-core<7"),
        "driver.py",
        1,
        "'cloudshell-shell-core' perhaps",
    ),
]
REQUIREMENTS = [
    Case(
        "invalid-requirement",
        source(requirements="\na>=1.0<=2.0"),
        "requirements.txt",
        2,
        "'a>=1.0<=2.0'",
    ),
    *(
        Case(
            "unpinned-requirement",
            source(requirements=f"# x\na<1; \\\n  extra == 'b'\n{line}"),
            "requirements.txt",
            4,
            words,
        )
        for line, words in {
            "requests": "names no version",
            "requests!=2.0": "names no version",
            "cloudshell-automation-api>=9.3": "add one, such as '<10'",
            "requests[socks] ; python_version > '3'": "'requests' names no version",
            "git+https://example.com/a.git": "no revision",
            "a @ git+https://user@example.com/a.git": "no revision",
            "-e git+https://example.com/a.git#egg=a": "no revision",
        }.items()
    ),
    *(
        Case("local-requirement", source(requirements=line), "requirements.txt", 1, "this machine")
        for line in (
            "-e .",
            "./wheels/a-1.0-py3-none-any.whl",
            "--editable=../a",
            "a @ file:///srv/a",
        )
    ),
    Case("unknown-option", source(requirements="--pree"), "requirements.txt", 1, "'--pree'"),
    Case(
        "unknown-option",
        source(requirements="-r no.txt"),
        "requirements.txt",
        1,
        "no file 'no.txt'",
    ),
    Case(
        "unpinned-requirement",
        {**source(requirements="-r more.txt"), "more.txt": "a==1\nb"},
        "more.txt",
        2,
        "'b'",
    ),
]
CASES = [*DRIFT, *DECLARED, *PYTHON_2, *IMPORTS, *REQUIREMENTS]


def cases(*chosen: Case) -> list[object]:
    return [pytest.param(case, id=f"{case.rule}-{number}") for number, case in enumerate(chosen)]


def finds(case: Case, write: Write, reader: Reader) -> None:
    folder = write(case.files)
    found = [one for one in check(reader, folder) if one.rule == case.rule]
    assert [(str(one.path.relative_to(folder)), one.line) for one in found] == [
        (case.file, case.line)
    ]
    assert re.search(re.escape(case.words), found[0].message)
    assert found[0].severity == RULES[case.rule].severity
    assert "\n" not in found[0].message


@pytest.mark.parametrize("case", cases(*DRIFT))
def test_drift_between_metadata_and_class_is_found_at_its_place_l3_d8(
    case: Case, write: Write, reader: Reader
) -> None:
    finds(case, write, reader)


@pytest.mark.parametrize("case", cases(*DECLARED))
def test_what_is_wrong_with_the_declarations_is_found_at_its_place_l3(
    case: Case, write: Write, reader: Reader
) -> None:
    finds(case, write, reader)


@pytest.mark.parametrize("case", cases(*PYTHON_2))
def test_python_2_is_found_at_its_place_l3_d9(case: Case, write: Write, reader: Reader) -> None:
    finds(case, write, reader)


@pytest.mark.parametrize("case", cases(*IMPORTS))
def test_an_import_that_nothing_provides_is_found_at_its_place_l3(
    case: Case, write: Write, reader: Reader
) -> None:
    finds(case, write, reader)


@pytest.mark.parametrize("case", cases(*REQUIREMENTS))
def test_a_requirement_that_will_not_last_is_found_at_its_place_l3_v3(
    case: Case, write: Write, reader: Reader
) -> None:
    finds(case, write, reader)


def test_every_rule_has_a_case_l3() -> None:
    assert {case.rule for case in CASES} == set(RULES)
