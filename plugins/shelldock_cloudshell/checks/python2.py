"""What only Python 2 reads or has."""

from __future__ import annotations

import ast
import platform
import re
from collections.abc import Iterator
from typing import Final

from shelldock.model import Finding
from shelldock_cloudshell.checks.modules import Module, certain
from shelldock_cloudshell.checks.rules import Place, finding

_TEXT: Final = re.compile(
    r"""#[^\n]*|('{3}|"{3})(?:\\.|.)*?\1|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*\"""", re.DOTALL
)
"""Comments and texts, in which nothing is code."""

_SIGNS: Final = {
    re.compile(pattern, re.MULTILINE): message
    for pattern, message in (
        (
            r"(?:^|[;:])[ \t]*(?P<at>print)(?=[ \t]+[\w{\[~'\"-]|['\"]|[ \t]*>>)",
            "print is a statement here; write print(…)",
        ),
        (
            r"(?:^|[;:])[ \t]*(?P<at>exec)(?=[ \t]+[\w'\"])",
            "exec is a statement here; write exec(…)",
        ),
        (
            r"^[ \t]*(?P<at>except)\b[^:\n]*,[ \t]*\w+[ \t]*:",
            "an exception is named after a comma; write 'except … as …'",
        ),
        (
            r"^[ \t]*(?P<at>raise)[ \t]+[\w.]+[ \t]*,",
            "an exception is raised with a comma; write 'raise X(…)'",
        ),
        (r"(?P<at>`)[^`\n]*`", "backticks; write repr(…)"),
        (r"(?P<at><>)", "the operator <>; write !="),
        (r"\b(?P<at>[uU][rR])['\"]", "the prefix 'ur' of a text; write r'…'"),
        (r"(?<![\w.])(?P<at>\d+[lL])\b", "a long integer; leave the L out"),
        (r"(?<![\w.])(?P<at>0+[1-7][0-7]*)(?![\w.])", "an octal number; write 0o…"),
    )
}
_WHY: Final = "so the module cannot be imported by Python 3"

_STATEMENTS: Final = "Missing parentheses in call to"
"""What Python 3 says where print and exec are statements."""

_NAMES: Final = {
    "basestring": "str",
    "cmp": "(a > b) - (a < b)",
    "execfile": "exec(…)",
    "file": "open(…)",
    "long": "int",
    "raw_input": "input(…)",
    "reduce": "functools.reduce(…)",
    "reload": "importlib.reload(…)",
    "unichr": "chr(…)",
    "unicode": "str",
    "xrange": "range(…)",
}
_METHODS: Final = {
    "iteritems": (0, "items()"),
    "iterkeys": (0, "keys()"),
    "itervalues": (0, "values()"),
    "has_key": (1, "'in'"),
}
"""Methods of dictionaries: with how many arguments, and what to write."""


def syntax(module: Module) -> Iterator[Finding]:
    """Why a module cannot be read, with every sign of Python 2 in it (L3)."""
    if module.tree is not None:
        yield from _redirected(module, module.tree)
        return
    signs = list(_signs(module))
    yield from signs
    if not any(sign.line == module.line for sign in signs):
        yield _unread(module)


def names(module: Module) -> Iterator[Finding]:
    """Names and methods that Python 3 does not have; nothing where names come from nobody knows where."""
    if module.tree is None or _has_star(module.tree):
        return
    bound = set(_bound(module.tree))
    for node in certain(module.tree):
        if isinstance(node, ast.Name) and node.id in _NAMES and node.id not in bound:
            message = f"Python 3 has no {node.id!r}, so this line fails; write {_NAMES[node.id]}"
            yield finding("python2-name", module.place(node), message)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            count, instead = _METHODS.get(name, (-1, ""))
            if len(node.args) == count and not node.keywords and name not in bound:
                message = f"dictionaries of Python 3 have no {name!r}, so this line fails; write {instead}"
                yield finding("python2-name", module.place(node), message)


def _unread(module: Module) -> Finding:
    place = Place(module.path, module.line, module.column)
    if module.error.startswith(_STATEMENTS):
        return finding("python2-syntax", place, f"{module.error.partition('.')[0]}, {_WHY}")
    reason = (
        f"Python {platform.python_version()} cannot read this module ({module.error}), and no other can "
        "unless it is a newer one; mend it, or run Shelldock on that Python"
        if module.text
        else f"{module.error}, so nobody knows what is in it; mend that"
    )
    return finding("syntax-error", place, reason)


def _signs(module: Module) -> Iterator[Finding]:
    code = _TEXT.sub(_blank, module.text)
    for pattern, message in _SIGNS.items():
        for found in pattern.finditer(code):
            at = found.start("at")
            line = code.count("\n", 0, at) + 1
            column = at - code.rfind("\n", 0, at)
            place = Place(module.path, line, column)
            yield finding("python2-syntax", place, f"{message}, {_WHY}")


def _blank(found: re.Match[str]) -> str:
    """As many characters, on as many lines; texts keep their quotes."""
    text = found[0]
    if text.startswith("#"):
        return " " * len(text)
    return text[0] + re.sub(r"[^\n]", " ", text[1:-1]) + text[-1]


def _redirected(module: Module, tree: ast.Module) -> Iterator[Finding]:
    """``print >>file, …``, which Python 3 reads as a comparison of its own kind."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.RShift)
            and isinstance(node.left, ast.Name)
            and node.left.id == "print"
        ):
            message = "'print >>' fails when this line is run by Python 3; write print(…, file=…)"
            yield finding("python2-syntax", module.place(node), message)


def _has_star(tree: ast.Module) -> bool:
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return any(alias.name == "*" for node in imports for alias in node.names)


def _bound(tree: ast.Module) -> Iterator[str]:
    """Every name that the module gives a meaning to, anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
