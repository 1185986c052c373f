"""The rules: what each looks for, and how much it matters."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from shelldock.model import Finding, Severity


class Rule(NamedTuple):
    """One kind of finding."""

    id: str
    severity: Severity
    about: str
    """For the table in ``docs/reference/checks.md``."""


class Place(NamedTuple):
    """Where something is; line and column from 1, 0 where the whole file is meant."""

    path: Path
    line: int = 0
    column: int = 0


_RULES: Final = (
    Rule("no-driver", "note", "The shell has no driver, so it takes no commands."),
    Rule("no-metadata", "note", "There is no `drivermetadata.xml`."),
    Rule("missing-class", "error", "`MainClass` names no class of the driver's sources."),
    Rule("missing-method", "error", "A declared command has no method in the class or its bases."),
    Rule("unseen-method", "note", "The same, but a base class from elsewhere may bring it."),
    Rule("undeclared-method", "note", "A public method, and so a command, is not declared."),
    Rule("unknown-parameter", "warning", "A declared parameter is none of the method's."),
    Rule("undeclared-parameter", "warning", "The method requires what callers cannot see."),
    Rule("cancellation-undeclared", "warning", "A method that can be cancelled never will be."),
    Rule("cancellation-ignored", "warning", "A command offers to be cancelled; its method cannot."),
    Rule("duplicate-command", "warning", "A command is declared twice."),
    Rule("duplicate-parameter", "warning", "A parameter of one command is declared twice."),
    Rule("nameless", "warning", "A command or a parameter has no name."),
    Rule("lookup-without-choices", "warning", "A `Lookup` parameter has no `AllowedValues`."),
    Rule("lookup-default", "warning", "The default is none of the `AllowedValues`."),
    Rule("unknown-tag", "note", "A tag that CloudShell does not know."),
    Rule("unknown-attribute", "note", "An attribute that CloudShell does not know."),
    Rule("unknown-value", "warning", "An attribute has a value that it cannot have."),
    Rule("python-2", "error", "`PythonVersion` is absent, which means 2, or is 2."),
    Rule("python2-syntax", "error", "What only Python 2 can read."),
    Rule("syntax-error", "error", "What the Python that runs Shelldock cannot read."),
    Rule("python2-module", "warning", "An import of what Python 3 does not have or has elsewhere."),
    Rule("python2-name", "warning", "A name or a method that Python 3 does not have."),
    Rule("implicit-relative-import", "warning", "A neighbour is imported as Python 2 does."),
    Rule("dropped-module", "note", "A module that newer Pythons do not have any more."),
    Rule("uncovered-import", "warning", "No requirement provides what is imported, by its name."),
    Rule("indirect-import", "note", "The same, for a `cloudshell` package that others bring."),
    Rule("invalid-requirement", "error", "A requirement that no installer understands."),
    Rule("unpinned-requirement", "warning", "A requirement without an upper bound."),
    Rule("local-requirement", "warning", "A requirement that is a place on this machine."),
    Rule("unknown-option", "warning", "An option that is not heeded, or a file that is not there."),
)

RULES: Final = {rule.id: rule for rule in _RULES}
"""By id, in the order of the page."""


def finding(rule: str, place: Place, message: str) -> Finding:
    """What a rule found."""
    return Finding(
        path=place.path,
        line=place.line,
        column=place.column,
        rule=rule,
        severity=RULES[rule].severity,
        message=message,
    )
