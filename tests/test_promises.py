"""What the project promises about itself: packages, entry points, hook pages and commands are as they are said."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from shelldock import hookspecs

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("shelldock_"))
PACKAGES = {
    path.parent.name: path.parent
    for source_root in ("core", "plugins")
    for path in ROOT.glob(f"{source_root}/*/__init__.py")
}


def in_package(path: Path) -> str:
    """The name in the wheel of a file below ``core/`` or ``plugins/``."""
    return "/".join(path.relative_to(ROOT).parts[1:])


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[ZipFile, ZipFile]:
    """The wheel made from the tree, and the one made from the source archive."""
    build = [sys.executable, "-m", "uv", "build", "--quiet", str(ROOT)]
    found = []
    for name, options in (("tree", ["--wheel"]), ("archive", [])):
        folder = tmp_path_factory.mktemp(name)
        subprocess.run([*build, *options, "--out-dir", str(folder)], check=True, timeout=240)
        found.append(ZipFile(next(folder.glob("*.whl"))))
    return found[0], found[1]


def test_the_wheel_has_every_package_whole_and_nothing_else(
    wheels: tuple[ZipFile, ZipFile],
) -> None:
    packed = {name for name in wheels[0].namelist() if ".dist-info/" not in name}
    in_the_tree = {
        in_package(path)
        for package in PACKAGES.values()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == in_the_tree


def test_the_wheel_made_from_the_source_archive_is_the_same(
    wheels: tuple[ZipFile, ZipFile],
) -> None:
    tree, archive = wheels
    assert {one.filename: one.CRC for one in tree.infolist()} == {
        one.filename: one.CRC for one in archive.infolist()
    }


def test_the_wheel_carries_the_licence(wheels: tuple[ZipFile, ZipFile]) -> None:
    licence = next(name for name in wheels[0].namelist() if name.endswith("licenses/LICENSE"))
    assert wheels[0].read(licence) == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_the_package_says_that_it_is_typed(package: str) -> None:
    assert (PACKAGES[package] / "py.typed").is_file()


@pytest.mark.parametrize("group", ["shelldock.plugins", "pytest11"])
def test_the_entry_points_that_are_installed_are_those_of_the_project(group: str) -> None:
    promised = PROJECT["project"].get("entry-points", {}).get(group, {})
    installed = {
        one.name: one.value
        for one in entry_points(group=group)
        if one.dist is not None and one.dist.name == PROJECT["project"]["name"]
    }
    assert installed == promised, "install the project again: entry points are read at installation"


@pytest.mark.parametrize("name", sorted(PROJECT["project"]["entry-points"]["shelldock.plugins"]))
def test_the_plugin_can_be_loaded(name: str) -> None:
    (entry,) = (
        one
        for one in entry_points(group="shelldock.plugins", name=name)
        if one.dist is not None and one.dist.name == PROJECT["project"]["name"]
    )
    assert entry.load() is not None


@pytest.mark.parametrize("path", sorted(PACKAGES["shelldriver"].rglob("*.py")), ids=in_package)
def test_what_runs_in_a_drivers_process_needs_nothing_installed(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 7))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add((node.module or "").partition(".")[0])
    assert imported <= sys.stdlib_module_names | {"shelldriver"}


@pytest.mark.parametrize("hook", HOOKS)
def test_the_hook_has_a_section_on_the_page(hook: str) -> None:
    page = (ROOT / "docs/reference/hooks.md").read_text()
    assert re.findall(rf"^### {hook}$", page, re.MULTILINE) == [f"### {hook}"]


@pytest.mark.parametrize("hook", HOOKS)
def test_the_hook_says_when_it_is_asked_and_what_happens_by_default(hook: str) -> None:
    told = getattr(hookspecs, hook).__doc__ or ""
    assert re.search(r"\b(Asked|Told)\b", told)
    assert "Default:" in told or "changed" in hook


def test_the_page_has_no_section_on_a_hook_that_is_not_there() -> None:
    page = (ROOT / "docs/reference/hooks.md").read_text()
    assert sorted(re.findall(r"^### (\w+)$", page, re.MULTILINE)) == HOOKS


def implementing(hook: str, *places: str) -> list[Path]:
    """The files in these places that have an implementation of the hook."""
    found = [path for place in places for path in ROOT.glob(place)]
    return [path for path in found if re.search(rf"def {hook}\b", path.read_text())]


@pytest.mark.parametrize("hook", [one for one in HOOKS if not one.endswith("_changed")])
def test_the_hook_has_a_default_or_says_that_it_needs_none(hook: str) -> None:
    told = getattr(hookspecs, hook).__doc__ or ""
    without = re.search(r"Default: (none|``local``)", told)
    assert bool(implementing(hook, "plugins/*/*.py", "plugins/*/*/*.py")) != bool(without)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_hook_is_exercised_by_a_test(hook: str) -> None:
    tests = set(ROOT.glob("tests/**/test_*.py")) - {Path(__file__), ROOT / "tests/test_docs.py"}
    face = hook.removeprefix("shelldock_")
    assert any(re.search(rf"\b({hook}|plugins\.{face})\b", path.read_text()) for path in tests)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_hook_has_a_second_implementation_in_an_example_that_tox_tests_and_its_page_names(
    hook: str,
) -> None:
    tox = (ROOT / "tox.ini").read_text()
    page = (ROOT / "docs/reference/hooks.md").read_text()
    section = page.partition(f"### {hook}\n")[2].partition("\n### ")[0]
    projects = {path.parent.name for path in implementing(hook, "docs/examples/*/*.py")}
    tested = {one for one in projects if re.search(rf"EXAMPLE = .*/{one}$", tox, re.MULTILINE)}
    assert tested, f"no example answers {hook}"
    assert any(f"docs/examples/{one}" in section for one in tested), (
        f"the page names none of {tested}"
    )


def test_tox_runs_every_example() -> None:
    tox = (ROOT / "tox.ini").read_text()
    examples = dict(re.findall(r"^    (\w+): EXAMPLE = .*/([\w-]+)$", tox, re.MULTILINE))
    assert sorted(examples.values()) == sorted(
        path.parent.name for path in ROOT.glob("docs/examples/*/pyproject.toml")
    )
    for line in (r"env_list = .*", r"\[testenv:"):
        listed = re.search(rf"^{line}example-\{{([\w,]+)\}}", tox, re.MULTILINE)
        assert listed is not None
        assert sorted(listed[1].split(",")) == sorted(examples)


@pytest.mark.parametrize(
    "project",
    sorted(ROOT.glob("docs/examples/*/pyproject.toml")),
    ids=lambda path: path.parent.name,
)
def test_the_example_says_how_to_install_it_and_has_tests(project: Path) -> None:
    folder = project.parent
    assert f"pip install docs/examples/{folder.name}" in (folder / "README.md").read_text()
    assert list(folder.glob("tests/test_*.py"))


def test_ci_runs_the_tests_as_the_readme_says() -> None:
    said = re.search(r"bin/tox (run-parallel .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert said is not None
    assert f'/bin/tox" {said[1]} ' in (ROOT / ".ci/run").read_text()


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text())
    gone = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert links
    assert not gone


@pytest.mark.parametrize(
    "fragment", sorted((ROOT / "docs/changelog").iterdir()), ids=lambda path: path.name
)
def test_the_changelog_fragment_will_be_found(fragment: Path) -> None:
    kinds = "|".join(kind["directory"] for kind in PROJECT["tool"]["towncrier"]["type"])
    assert re.fullmatch(rf"(\d+|\+[\w-]+)\.({kinds})(\.\d+)?\.md|README\.md", fragment.name)
    assert fragment.read_text().strip()
