"""Installed shells are found by name, replaced whole or not at all, and no broken one hides another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from shelldock.catalog import Catalog
from shelldock.errors import ConflictError, NotFoundError, ShellError
from shelldock.model import Driver, Shell


class Shelf:
    """Shells as files: ``name version`` in ``shell.txt``, or in a file that is the shell; counts what is read."""

    def __init__(self) -> None:
        self.read: list[Path] = []

    def __call__(self, path: Path) -> Shell:
        self.read.append(path)
        file = path / "shell.txt" if path.is_dir() else path
        try:
            name, _, version = file.read_text().partition(" ")
        except OSError as error:
            raise ShellError(path, "no shell.txt") from error
        if version == "broken":
            raise ShellError(path, "it is broken")
        driver = Driver(name=name, main_class="d.D", source=path, digest="x")
        return Shell(name=name, version=version, driver=driver, path=path)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def put(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shell.txt").write_text(text)
    return folder


def names(catalog: Catalog) -> list[str]:
    return [shell.name for shell in catalog.shells()]


def test_an_added_shell_stays_when_its_original_goes(tmp_path: Path, shelf: Shelf) -> None:
    original = put(tmp_path / "mine", "box 1.0")
    put(original / "__pycache__", "x")
    put(original / ".git", "x")
    catalog = Catalog(tmp_path / "shells", shelf)
    added = catalog.add(original)
    (original / "shell.txt").unlink()
    again = Catalog(tmp_path / "shells", shelf).get("box")
    assert again == added == catalog.get("box")
    assert again.path.is_relative_to(tmp_path / "shells")
    assert sorted(one.name for one in again.path.iterdir()) == ["shell.txt"]


def test_an_added_archive_keeps_its_name(tmp_path: Path, shelf: Shelf) -> None:
    file = tmp_path / "Old Box.zip"
    file.write_text("Old Box 1.0")
    assert (
        Catalog(tmp_path / "shells", lambda path: Shell(name="x", path=path)).add(file).path.name
        == "Old Box.zip"
    )


def test_nothing_is_read_before_it_is_asked_for_and_then_once(tmp_path: Path, shelf: Shelf) -> None:
    brought = put(tmp_path / "brought", "brought 1")
    catalog = Catalog(tmp_path / "shells", shelf, [brought])
    assert shelf.read == []
    assert not (tmp_path / "shells").exists()
    for _ in range(3):
        assert catalog.get("brought").path == brought
    assert shelf.read == [brought]


def test_the_same_version_replaces_and_a_lower_one_only_by_force_P10(
    tmp_path: Path, shelf: Shelf
) -> None:
    catalog = Catalog(tmp_path / "shells", shelf)
    first = catalog.add(put(tmp_path / "a", "box 1.9"))
    assert catalog.add(put(tmp_path / "a", "box 1.9")).path != first.path
    assert catalog.add(put(tmp_path / "a", "box 1.10")).version == "1.10"
    with pytest.raises(ConflictError, match=r"shell 'box' 1\.10 is there and 1\.9 is lower; force"):
        catalog.add(put(tmp_path / "a", "box 1.9"))
    assert catalog.get("box").version == "1.10"
    assert catalog.add(tmp_path / "a", force=True).version == "1.9"
    assert catalog.get("box").version == "1.9"
    assert names(catalog) == ["box"]


class Described:
    """Shells as JSON."""

    def __call__(self, path: Path) -> Shell:
        try:
            return msgspec.convert(json.loads(path.read_text()) | {"path": path}, Shell)
        except ValueError as error:
            raise ShellError(path, "it is no JSON") from error


def described(path: Path, *attributes: str, drops: bool = False, version: str = "1.0") -> Path:
    said = {
        "name": "box",
        "version": version,
        "attributes": [{"name": one} for one in attributes],
        "drops_attributes": drops,
    }
    path.write_text(json.dumps(said))
    return path


def test_an_update_that_drops_attributes_is_refused_with_their_names_p11(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "shells", Described())
    file = tmp_path / "box"
    old = catalog.add(described(file, "box.A", "box.B", "User"))
    with pytest.raises(ConflictError) as caught:
        catalog.add(described(file, "box.B", "box.New", version="2.0"))
    assert str(caught.value) == (
        "shell 'box' cannot be updated: removing attributes from an existing shell is not supported; "
        "the following attributes are missing from the new shell definition: 'box.A', 'User'; "
        "deprecate them, or force it to drop them"
    )
    assert catalog.get("box") == old


def test_attributes_are_dropped_by_force_or_where_they_are_deprecated_p11(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "shells", Described())
    file = tmp_path / "box"
    catalog.add(described(file, "box.A", "box.B"))
    assert len(catalog.add(described(file, "box.A", drops=True)).attributes) == 1
    assert catalog.add(described(file), force=True).attributes == ()


def test_one_that_cannot_be_read_any_more_keeps_nobody_from_an_update_p11(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "shells", Described())
    catalog.add(described(tmp_path / "box", "box.A")).path.write_text("{")
    assert catalog.add(described(tmp_path / "box")).attributes == ()


def test_the_copy_before_stays_for_instances_that_run_from_it_and_no_more(
    tmp_path: Path, shelf: Shelf
) -> None:
    catalog = Catalog(tmp_path / "shells", shelf)
    original = put(tmp_path / "a", "box 1")
    first, second, third = (catalog.add(original).path for _ in range(3))
    assert [path.exists() for path in (first, second, third)] == [False, True, True]


def test_an_add_that_fails_leaves_the_old_one(tmp_path: Path, shelf: Shelf) -> None:
    catalog = Catalog(tmp_path / "shells", shelf)
    old = catalog.add(put(tmp_path / "a", "box 1"))
    with pytest.raises(ShellError, match="it is broken"):
        catalog.add(put(tmp_path / "a", "box broken"))
    (tmp_path / "loop").mkdir()
    put(tmp_path / "loop", "box 2")
    (tmp_path / "loop/again").symlink_to(tmp_path / "loop")
    with pytest.raises(ShellError, match="cannot be copied"):
        catalog.add(tmp_path / "loop")
    assert catalog.get("box") == old
    home = old.path.parent.parent
    assert sorted(one.name for one in home.iterdir()) == ["1", "shell.json"]


CRASH = """
import os, sys
from pathlib import Path
from shelldock.catalog import Catalog
from shelldock.model import Shell
import shelldock.catalog

shells, path, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
setattr(shelldock.catalog, where, lambda *_, **__: os._exit(9))
Catalog(shells, lambda path: Shell(name="box", version="2", path=path)).add(path)
"""


@pytest.mark.parametrize("where", ["foreign", "_write", "_tidy"])
def test_a_crash_in_mid_add_leaves_one_whole_shell(
    tmp_path: Path, shelf: Shelf, where: str
) -> None:
    old = Catalog(tmp_path / "shells", shelf).add(put(tmp_path / "a", "box 1"))
    put(tmp_path / "a", "box 2")
    arguments = [sys.executable, "-c", CRASH, str(tmp_path / "shells"), str(tmp_path / "a"), where]
    assert subprocess.run(arguments, check=False).returncode == 9
    after = Catalog(tmp_path / "shells", shelf)
    found = after.get("box")
    assert found.version == ("2" if where == "_tidy" else "1")
    assert old.path.exists()
    assert after.add(tmp_path / "a").version == "2"
    assert not list((tmp_path / "shells").glob(".adding.*"))


def test_other_processes_changes_are_seen(tmp_path: Path, shelf: Shelf) -> None:
    here, there = (Catalog(tmp_path / "shells", shelf) for _ in range(2))
    assert names(here) == []
    there.add(put(tmp_path / "a", "box 1"))
    assert here.get("box").version == "1"
    there.add(put(tmp_path / "a", "box 2"))
    assert here.get("box").version == "2"
    there.remove("box")
    assert names(here) == []


def test_names_that_look_alike_on_disk_are_apart(tmp_path: Path, shelf: Shelf) -> None:
    catalog = Catalog(
        tmp_path / "shells", lambda path: Shell(name=(path / "n").read_text(), path=path)
    )
    alike = ["a b", "a_b", "A b", "..", "/", "ä" * 200, ".hidden"]
    for number, name in enumerate(alike):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "n").write_text(name)
        catalog.add(folder)
    assert names(catalog) == sorted(alike)
    assert sorted(path.parent for path in tmp_path.rglob("shell.json")) == sorted(
        path for path in (tmp_path / "shells").iterdir() if path.is_dir()
    )


def test_an_unknown_name_offers_the_nearest(tmp_path: Path, shelf: Shelf) -> None:
    catalog = Catalog(tmp_path / "shells", shelf, [put(tmp_path / "a", "Cisco-Switch 1")])
    with pytest.raises(NotFoundError, match="no shell 'cisco-swich'; did you mean 'Cisco-Switch'"):
        catalog.get("cisco-swich")
    assert catalog.get("cisco-switch").name == "Cisco-Switch"


def test_a_broken_shell_is_listed_and_hides_no_other(tmp_path: Path, shelf: Shelf) -> None:
    good, bad, gone = (
        put(tmp_path / "good", "good 1"),
        put(tmp_path / "bad", "bad broken"),
        tmp_path / "gone",
    )
    Catalog(tmp_path / "shells", shelf).add(put(tmp_path / "c", "added 1"))
    catalog = Catalog(tmp_path / "shells", shelf, [bad, gone, good])
    record = next((tmp_path / "shells").glob("*/shell.json"))
    record.write_text("{")
    assert names(catalog) == ["good"]
    assert {(one.name, one.reason) for one in catalog.broken()} == {
        ("bad", "it is broken"),
        ("gone", "no shell.txt"),
        (record.parent.name, "its record is unreadable"),
    }
    with pytest.raises(ShellError, match=r"bad \(plugin\)': it is broken"):
        catalog.get("bad")


def test_of_two_with_one_name_the_added_counts_and_the_other_is_told(
    tmp_path: Path, shelf: Shelf
) -> None:
    brought = put(tmp_path / "brought", "box 5")
    catalog = Catalog(tmp_path / "shells", shelf, [brought])
    catalog.add(put(tmp_path / "mine", "box 1"))
    assert catalog.get("box").version == "1"
    assert catalog.get("box").origin == f"{tmp_path / 'mine'} (added)"
    (broken,) = catalog.broken()
    assert broken.reason == f"the name 'box' is taken by {tmp_path / 'mine'} (added)"
    catalog.remove("box")
    assert catalog.get("box").version == "5"
    assert catalog.broken() == []


def test_only_what_was_added_can_be_removed(tmp_path: Path, shelf: Shelf) -> None:
    catalog = Catalog(tmp_path / "shells", shelf, [put(tmp_path / "a", "brought 1")])
    with pytest.raises(
        ConflictError, match=r"'brought' was not added: it comes with .*a \(plugin\)"
    ):
        catalog.remove("brought")
    with pytest.raises(NotFoundError, match="no shell 'nothing'"):
        catalog.remove("nothing")
    catalog.add(put(tmp_path / "b", "Mine 1"))
    catalog.remove("mine")
    assert names(catalog) == ["brought"]


def test_an_existing_path_is_opened_and_any_other_text_is_a_name(
    tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "box", "from-path 1")
    catalog = Catalog(tmp_path / "shells", shelf, [put(tmp_path / "a", "installed 1")])
    assert catalog.open("box").name == "from-path"
    assert catalog.open("./box").path == tmp_path / "box"
    assert catalog.open(Path("box")).name == "from-path"
    assert catalog.open("installed").name == "installed"
    with pytest.raises(NotFoundError, match=r"no file or folder '\./nothing'"):
        catalog.open("./nothing")
    with pytest.raises(NotFoundError, match="no shell 'nothing'"):
        catalog.open("nothing")


# ---- distributions ------------------------------------------------------------------------------

PROBE = """
import json, sys
from pathlib import Path
from shelldock.catalog import Catalog
from shelldock.plugins import Plugins
from shelldock.settings import load
catalog = Catalog(Path(sys.argv[1]) / "shells", Plugins(load(None, {})).read_shell)
print(json.dumps({
    "shells": {
        one.name: [str(one.path), one.driver.requirements, one.origin]
        for one in catalog.shells()
    },
    "broken": {one.name: [one.source, one.reason] for one in catalog.broken()},
}))
"""


def distribution(site: Path, name: str, entries: str, metadata: str = "") -> None:
    info = site / f"{name}-1.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n{metadata}")
    (info / "entry_points.txt").write_text(f"[shelldock.shells]\n{entries}")


def probe(site: Path, home: Path) -> dict[str, dict[str, list[object]]]:
    environ = os.environ | {
        "PYTHONPATH": str(site),
        "SHELLDOCK_HOME": str(home),
        "XDG_CACHE_HOME": str(home / "xdg"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(home)],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    answer: dict[str, dict[str, list[object]]] = json.loads(done.stdout)
    return answer


EXTRA = """\
Provides-Extra: driver
Provides-Extra: other
Requires-Dist: certainly
Requires-Dist: netmiko>=4; extra == "driver"
Requires-Dist: six; python_version < "3.5" and extra == 'driver'
Requires-Dist: lab @ https://example.org/lab.whl ; extra == "driver"
Requires-Dist: unwanted; extra == "other"
"""


def test_distributions_declare_shells_and_broken_ones_are_listed(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name in ("one", "two", "three"):
        source = put(site / f"brought_{name}" / "shell", "")
        (source / "driver.py").write_text(f"raise RuntimeError\nclass {name.title()}Driver: ...\n")
    (site / "brought_two/shell/requirements.txt").write_text("its-own\n")
    (site / "brought_one/__init__.py").write_text("shell = 'shell'\n")
    (site / "brought_two/__init__.py").write_text(
        "from pathlib import Path\ndef shell(): return Path(__file__).parent / 'shell'\n"
    )
    (site / "brought_three/__init__.py").write_text(
        dedent(
            """\
            def fails(): raise ValueError("no licence")
            number = 3
            gone = "/nowhere/at/all"
            """
        )
    )
    distribution(site, "one-shell", "one = brought_one:shell\n", EXTRA)
    distribution(site, "two-shell", "two = brought_two:shell\n", EXTRA)
    distribution(
        site,
        "three-shell",
        "fails = brought_three:fails\nnumber = brought_three:number\nmissing = brought_three:missing\n"
        "gone = brought_three:gone\n",
    )
    found = probe(site, tmp_path)
    assert {
        name: one for name, one in found["shells"].items() if name in ("OneDriver", "TwoDriver")
    } == {
        "OneDriver": [
            str(site / "brought_one/shell"),
            [
                "netmiko>=4",
                'six ; python_version < "3.5" and python_version >= "0"',
                "lab @ https://example.org/lab.whl",
            ],
            "one-shell 1.5 (entry point 'one')",
        ],
        "TwoDriver": [str(site / "brought_two/shell"), None, "two-shell 1.5 (entry point 'two')"],
    }
    told = "three-shell 1.5 (entry point '{}')".format
    broken = {
        name: one for name, one in found["broken"].items() if str(one[0]).startswith("three-shell")
    }
    assert broken["fails"] == [told("fails"), "no licence"]
    assert broken["number"][0] == told("number")
    assert "declares 'int'; expected a path" in str(broken["number"][1])
    assert "cannot be loaded: AttributeError" in str(broken["missing"][1])
    assert broken["gone"][0] == told("gone")
