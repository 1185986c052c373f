"""All checks of one driver: what its metadata declare against its code."""

from __future__ import annotations

from collections.abc import Iterator

from shelldock.errors import nearest
from shelldock.model import Driver, Finding
from shelldock_cloudshell import metadata, source
from shelldock_cloudshell.checks import (
    declarations,
    document,
    imports,
    modules,
    python2,
    requirements,
    signatures,
)
from shelldock_cloudshell.checks.document import Document
from shelldock_cloudshell.checks.modules import Module
from shelldock_cloudshell.checks.rules import Place, finding


def check(driver: Driver) -> Iterator[Finding]:
    """All that is wrong with a driver, one check after the other."""
    said = document.read(driver.source)
    parsed = modules.read(driver.source)
    yield from _declared(driver, said, parsed)
    python3 = (driver.python or "2").startswith("3")
    for module in parsed:
        yield from python2.syntax(module)
        if python3:
            yield from python2.names(module)
    asked = requirements.read(driver)
    yield from asked.all()
    main = driver.main_class.rpartition(".")[0]
    yield from imports.check(parsed, main, asked.names, python3=python3)


def _declared(driver: Driver, said: Document | None, parsed: list[Module]) -> Iterator[Finding]:
    if said is None:
        message = (
            f"there is no {metadata.FILE}: users see commands under their Python names, and CloudShell "
            "runs the driver on Python 2; write one"
        )
        yield finding("no-metadata", Place(driver.source), message)
        return
    yield from declarations.check(said)
    found = source.look(driver.source, driver.main_class)
    if found.found:
        yield from signatures.check(said, found, driver.main_class)
        return
    own = next((module for module in parsed if module.name == _module(driver)), None)
    if own is None or (own.tree is not None and not _imports(own, driver)):
        yield _no_class(driver, said, own, parsed)


def _imports(own: Module, driver: Driver) -> bool:
    """Whether the main class comes from elsewhere, where nobody can see it from here."""
    names = modules.imported(own)
    return driver.main_class.rpartition(".")[2] in names or "*" in names


def _no_class(driver: Driver, said: Document, own: Module | None, parsed: list[Module]) -> Finding:
    name = driver.main_class.rpartition(".")[2]
    if own is None:
        near = nearest(_module(driver), (module.name for module in parsed))
        lacks = f"the sources have no module {_module(driver)!r}"
    else:
        near = nearest(name, modules.classes(own))
        lacks = f"{own.path.name} has no class {name!r}"
    offer = f"did you mean {near[0]!r}? " if near else ""
    message = f"MainClass is {driver.main_class!r}, and {lacks}: no command can run; {offer}mend it"
    return finding("missing-class", said.driver.place, message)


def _module(driver: Driver) -> str:
    return driver.main_class.rpartition(".")[0]
