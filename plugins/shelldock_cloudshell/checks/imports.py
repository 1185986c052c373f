"""What the driver's modules import, and whether it will be there."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from shelldock.model import Finding
from shelldock_cloudshell.checks import distributions
from shelldock_cloudshell.checks.modules import Module, certain
from shelldock_cloudshell.checks.requirements import FILE
from shelldock_cloudshell.checks.rules import Place, finding

_PYTHON_2: Final = {
    "BaseHTTPServer": "http.server",
    "ConfigParser": "configparser",
    "Cookie": "http.cookies",
    "HTMLParser": "html.parser",
    "Queue": "queue",
    "SimpleHTTPServer": "http.server",
    "SocketServer": "socketserver",
    "StringIO": "io",
    "Tkinter": "tkinter",
    "__builtin__": "builtins",
    "cPickle": "pickle",
    "cStringIO": "io",
    "commands": "subprocess",
    "cookielib": "http.cookiejar",
    "exceptions": "builtins",
    "httplib": "http.client",
    "md5": "hashlib",
    "sets": "set",
    "sha": "hashlib",
    "thread": "_thread",
    "urllib2": "urllib.request and urllib.error",
    "urlparse": "urllib.parse",
    "xmlrpclib": "xmlrpc.client",
}
"""Modules that Python 3 does not have, and what has taken their place."""

_MOVED: Final = {
    "collections": (
        (
            "Callable",
            "Iterable",
            "Iterator",
            "Mapping",
            "MutableMapping",
            "Sequence",
            "Set",
            "Sized",
        ),
        "collections.abc",
    ),
    "itertools": (("izip", "imap", "ifilter", "izip_longest"), "zip, map and filter"),
    "string": (("letters", "maketrans", "lowercase", "uppercase", "join"), "methods of str"),
    "urllib": (
        ("quote", "quote_plus", "unquote", "urlencode", "urlopen", "urlretrieve"),
        "urllib.parse, .request",
    ),
}
"""Names that Python 3 has elsewhere, by the modules that had them."""


@dataclass(frozen=True)
class _Import:
    module: str
    """Dotted; with what is imported from it, where that may be a module of its own."""
    names: tuple[str, ...]
    place: Place
    importer: Module


def check(
    modules: Sequence[Module], main: str, requirements: Sequence[str], *, python3: bool
) -> Iterator[Finding]:
    """What each import leads to.

    :param main: the driver's module; only what it needs is looked at, unless it is not there.
    :param requirements: names of what is installed for the driver.
    :param python3: whether the driver is meant to run on Python 3.
    """
    own = {module.name: module for module in modules}
    lacking: set[str] = set()
    for one in (found for module in _reachable(own, main) for found in _imports(module)):
        if _is_own(one.module, own) or distributions.covered(one.module, requirements):
            continue
        if python3 and (trouble := _of_python_2(one, own)):
            yield trouble
        elif distributions.is_standard(one.module):
            yield from _dropped(one)
        elif one.module.partition(".")[0] not in _PYTHON_2:
            what = distributions.wanted(one.module)
            if what not in lacking:  # once for the driver: one line of its requirements mends it
                lacking.add(what)
                yield _uncovered(one, what, requirements)


def _of_python_2(one: _Import, own: dict[str, Module]) -> Finding | None:
    top = one.module.partition(".")[0]
    if instead := _instead(one, top):
        message = f"Python 3 has no {instead[0]!r}, so this import fails; take it from {instead[1]}"
        return finding("python2-module", one.place, message)
    if _neighbour(one, own) and not distributions.is_standard(top):
        message = (
            f"{top!r} lies beside this module, where Python 3 does not look; "
            f"write 'from . import {top}' or 'from .{top} import …'"
        )
        return finding("implicit-relative-import", one.place, message)
    return None


def _instead(one: _Import, top: str) -> tuple[str, str] | None:
    if top in _PYTHON_2:
        return top, _PYTHON_2[top]
    names, instead = _MOVED.get(one.module, ((), ""))
    gone = [name for name in one.names if name in names]
    return (f"{one.module}.{gone[0]}", instead) if gone else None


def _neighbour(one: _Import, own: dict[str, Module]) -> bool:
    package = one.importer.package
    return bool(package) and _is_own(f"{package}.{one.module.partition('.')[0]}", own)


def _dropped(one: _Import) -> Iterator[Finding]:
    if version := distributions.dropped(one.module):
        message = (
            f"Python {version} and later have no {one.module!r}, so the driver stays on older ones; "
            "replace it, or require a distribution that brings it back"
        )
        yield finding("dropped-module", one.place, message)


def _uncovered(one: _Import, what: str, requirements: Iterable[str]) -> Finding:
    others = [name for name in requirements if name.startswith(f"{distributions.CLOUDSHELL}-")]
    if what.partition(".")[0] == distributions.CLOUDSHELL and others:
        message = (
            f"no requirement provides {what!r} by its name: if another brings it along, "
            f"{others[0]!r} perhaps, then in any version; name it in {FILE}"
        )
        return finding("indirect-import", one.place, message)
    message = (
        f"no requirement provides {what!r} by its name: unless another brings it along, the driver "
        f"fails here; name it in {FILE}"
    )
    return finding("uncovered-import", one.place, message)


# ---- finding them ---------------------------------------------------------------------------------


def _reachable(own: dict[str, Module], main: str) -> list[Module]:
    """The modules that importing ``main`` leads to; all of them where it is not there."""
    if main not in own:
        return list(own.values())
    found: dict[str, Module] = {}
    waiting = [main]
    while waiting:
        name = waiting.pop()
        if name in own and name not in found:
            found[name] = own[name]
            waiting += _parents(name)
            for one in _imports(own[name]):
                waiting += [one.module, *(f"{one.module}.{below}" for below in one.names)]
    return list(found.values())


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _imports(module: Module) -> Iterator[_Import]:
    for node in certain(module.tree) if module.tree is not None else ():
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(alias.name, (), module.place(node), module)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield _Import(_absolute(module, node), names, module.place(node), module)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])]).strip(".")


def _is_own(name: str, own: dict[str, Module]) -> bool:
    """Whether it is a module of the driver's sources, or something in or above one."""
    return any(_in(name, one) or _in(one, name) for one in own) if name else True


def _in(name: str, above: str) -> bool:
    return f"{name}.".startswith(f"{above}.")
