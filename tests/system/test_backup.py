"""A backup has all that must survive, as it was at one moment; restoring it gives all of it, or changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from tests.databases import PostgreSQL
from tests.unit.test_migrations import FIRST
from tests.workshop import Workshop, target

from shelldock import AsyncHost, backup
from shelldock.errors import ConflictError, HeldError, InputError, NotFoundError, StoreError
from shelldock.model import Resource
from shelldock.paths import Paths
from shelldock.settings import load
from shelldock.store import Store

Home = Callable[[str], Paths]


@pytest.fixture
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Home:
    """Makes a home whose settings name a store of the kind; one called new has no settings."""

    def made(kind: str) -> Paths:
        paths = Paths.below(tmp_path / f"home {len(list(tmp_path.glob('home *')))}")
        paths.config.mkdir()
        if kind == "sqlite":
            paths.settings.write_text("# all as it comes\n")
        if kind == "postgresql":
            server: PostgreSQL = request.getfixturevalue("postgres")
            paths.settings.write_text(f'[store]\nurl = "{server.database()}"\n')
        return paths

    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def paths(request: pytest.FixtureRequest, home: Home) -> Paths:
    return home(request.param)


def durable(paths: Paths) -> AsyncHost:
    return AsyncHost(load(paths.settings, {}), paths=paths, durable=True)


def opened(paths: Paths) -> Store:
    return backup.opened(load(paths.settings, {}), paths)


def back_up(paths: Paths, file: Path, *, force: bool = False) -> backup.Backup:
    with closing(opened(paths)) as store:
        return backup.write(file, store, paths, paths.settings, force=force)


def restore(file: Path, paths: Paths, *, force: bool = False) -> backup.Restored:
    return backup.restore(file, paths, paths.settings, {}, force=force)


def names(paths: Paths) -> list[str]:
    with closing(opened(paths)) as store:
        return [one.name for one in store.resources()]


def put(paths: Paths, *those: str) -> None:
    with closing(opened(paths)) as store, store.change() as change:
        change.put(*(Resource(name=one, id=one) for one in those))


def everything(paths: Paths) -> dict[str, object]:
    """All that a restore may change."""
    files = {
        str(one): one.read_bytes()
        for one in [paths.key, paths.settings, *paths.shells.rglob("*")]
        if one.is_file() and one.name[0] != "."
    }
    return files | {"names": names(paths)}


def leftovers(paths: Paths) -> list[Path]:
    return [*paths.data.glob(".backup-*"), *paths.data.glob("server.lock")]


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
async def test_all_that_must_survive_is_there_again_in_a_store_of_either_kind(
    paths: Paths, into: str, home: Home, workshop: Workshop, tmp_path: Path
) -> None:
    async with durable(paths) as host:
        shell = host.catalog.add(workshop.shell())
        host.inventory.create("sw1", shell, "10.0.0.1", folder="Lab 1/Rack 3")
        host.inventory.create("pdu", shell)
        link = host.connections.connect("sw1", "pdu", 3)
        secret = host.vault.encrypt("s3cret")
        done = [await host.submit(target(host, workshop.shell()), "work") for _ in range(3)]
        for one in done:
            await host.wait(one.id)
    file = tmp_path / "all.backup"
    made = back_up(paths, file)
    assert (made.rows["resources"], made.rows["executions"]) == (2, 3)
    assert file.stat().st_mode & 0o777 == 0o600

    there = home(into)
    assert restore(file, there).backup == made
    assert not leftovers(there)
    async with durable(there) as host:
        assert host.inventory.resource("sw1").address == "10.0.0.1"
        assert host.inventory.folders() == ["Lab 1", "Lab 1/Rack 3"]
        assert host.connections.below("sw1") == [link]
        assert host.shell(shell.name).version == shell.version
        assert host.vault.decrypt(secret) == "s3cret"
        newest_first = [one.id for one in reversed(done)]
        assert [one.id for one in (await host.history()).executions] == newest_first
        # and the numbers go on after those that came along
        more = await host.submit(target(host, workshop.shell()), "work")
        assert [one.id for one in (await host.history()).executions] == [more.id, *newest_first]
        await host.wait(more.id)


def test_settings_come_back_where_there_are_none_and_others_stay(
    home: Home, tmp_path: Path
) -> None:
    paths, new, other = home("sqlite"), home("new"), home("sqlite")
    paths.settings.write_text("[limits]\ncleanup = 7\n")
    other.settings.write_text("[limits]\ncleanup = 8\n")
    back_up(paths, tmp_path / "b")
    assert restore(tmp_path / "b", new).settings
    assert load(new.settings, {}).limits.cleanup == 7
    assert not restore(tmp_path / "b", other).settings
    assert load(other.settings, {}).limits.cleanup == 8


def test_a_backup_made_under_load_has_whole_changes_and_all_that_was_acknowledged(
    paths: Paths, tmp_path: Path, home: Home
) -> None:
    acknowledged: list[int] = []
    stop, begun = threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            number = len(acknowledged)
            put(paths, f"left {number}", f"right {number}")
            acknowledged.append(number)
            begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(30)
        before = []
        for number in range(3):
            before.append(list(acknowledged))
            back_up(paths, tmp_path / str(number))
    finally:
        stop.set()
        writer.join()
    for number, known in enumerate(before):
        new = home("sqlite")
        restore(tmp_path / str(number), new)
        there = set(names(new))
        assert {f"{side} {one}" for one in known for side in ("left", "right")} <= there
        assert {one.split()[1] for one in there if one.startswith("left")} == {
            one.split()[1] for one in there if one.startswith("right")
        }


def damage(file: Path, how: str) -> None:
    content = file.read_bytes()
    if how == "cut short":
        file.write_bytes(content[: len(content) // 2])
    elif how == "something else":
        file.write_text("these are my notes")
    elif how == "a byte":
        with zipfile.ZipFile(file) as archive:
            largest = max(archive.infolist(), key=lambda one: one.compress_size)
        within = largest.header_offset + len(largest.filename) + largest.compress_size // 2
        file.write_bytes(content[:within] + bytes([content[within] ^ 1]) + content[within + 1 :])
    else:
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        if how == "a file changed":
            members["key"] = b"x" * 44
        elif how == "a file outside":
            contents = json.loads(members[backup.CONTENTS])
            contents["files"]["../../evil"] = "0"
            members |= {"../../evil": b"", backup.CONTENTS: json.dumps(contents).encode()}
        else:
            del members["key"]
        with zipfile.ZipFile(file, "w") as archive:
            for name, one in members.items():
                archive.writestr(name, one)


@pytest.mark.parametrize(
    "how",
    ["cut short", "something else", "a byte", "a file changed", "a file outside", "a file gone"],
)
def test_a_damaged_file_is_told_and_changes_nothing(paths: Paths, tmp_path: Path, how: str) -> None:
    put(paths, "sw1")
    paths.key.write_text("the key")
    file = tmp_path / "b"
    back_up(paths, file)
    damage(file, how)
    before = everything(paths)
    with pytest.raises(InputError, match="is no file that 'shelldock backup' wrote, or is damaged"):
        restore(file, paths, force=True)
    assert everything(paths) == before
    assert not leftovers(paths)


def test_what_is_there_is_replaced_only_by_force(paths: Paths, tmp_path: Path) -> None:
    put(paths, "sw1")
    back_up(paths, tmp_path / "b")
    put(paths, "sw2")
    paths.key.write_text("another key")
    with pytest.raises(ConflictError, match="it is not empty; give --force"):
        restore(tmp_path / "b", paths)
    assert names(paths) == ["sw1", "sw2"]
    restore(tmp_path / "b", paths, force=True)
    assert names(paths) == ["sw1"]


def test_shells_that_are_there_are_replaced_only_by_force(home: Home, tmp_path: Path) -> None:
    paths = home("sqlite")
    back_up(paths, tmp_path / "b")
    (paths.shells / "Box").mkdir()
    (paths.shells / "Box" / "shell.json").write_text("{}")
    with pytest.raises(ConflictError, match="shells': it is not empty"):
        restore(tmp_path / "b", paths)
    restore(tmp_path / "b", paths, force=True)
    assert list(paths.shells.iterdir()) == []


async def test_a_server_that_uses_the_data_is_not_overruled(paths: Paths, tmp_path: Path) -> None:
    put(paths, "sw1")
    back_up(paths, tmp_path / "b")
    async with durable(paths):
        for force in (False, True):
            with pytest.raises(HeldError, match=f"process {os.getpid()}"):
                await asyncio.to_thread(restore, tmp_path / "b", paths, force=force)
        await asyncio.to_thread(back_up, paths, tmp_path / "another")
    restore(tmp_path / "b", paths, force=True)


def test_a_restore_that_fails_half_way_leaves_what_was_there(paths: Paths, tmp_path: Path) -> None:
    put(paths, "sw1")
    paths.key.write_text("the first key")
    (paths.shells / "Box").mkdir()
    (paths.shells / "Box" / "shell.json").write_text("{}")
    back_up(paths, tmp_path / "b")
    put(paths, "sw2")
    paths.key.write_text("the second key")
    url = opened(paths)._url
    engine = create_engine(url)
    with engine.begin() as connection:  # committing is refused, after everything else was done
        connection.exec_driver_sql(
            "create table kept (r varchar references resources (name) deferrable initially deferred)"
        )
        connection.exec_driver_sql("insert into kept values ('sw2')")
    engine.dispose()
    before = everything(paths)
    with pytest.raises(StoreError) as caught:
        restore(tmp_path / "b", paths, force=True)
    assert "\n" not in str(caught.value)
    assert everything(paths) == before
    assert not leftovers(paths)


def rewritten(file: Path, store: Path, **facts: object) -> None:
    """Make a backup as another version would have: with this store, and these facts."""
    with zipfile.ZipFile(file) as archive:
        contents = json.loads(archive.read(backup.CONTENTS))
    contents |= facts | {"files": {"store.db": backup._digest(store)}}
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(store, "store.db")
        archive.writestr(backup.CONTENTS, json.dumps(contents))


def test_a_backup_of_an_earlier_version_is_restored(paths: Paths, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'first.db'}")
    with engine.begin() as connection:
        for one in FIRST.split(";\n"):
            connection.exec_driver_sql(one)
    engine.dispose()
    back_up(paths, tmp_path / "b")
    rewritten(tmp_path / "b", tmp_path / "first.db", revision="0001", rows={"resources": 1})
    restore(tmp_path / "b", paths)
    assert names(paths) == ["sw1"]


def test_a_backup_of_a_later_version_is_refused(paths: Paths, tmp_path: Path) -> None:
    back_up(paths, tmp_path / "b")
    (tmp_path / "later.db").write_bytes(b"of another kind")
    rewritten(tmp_path / "b", tmp_path / "later.db", revision="0999", version="7.0")
    with pytest.raises(StoreError, match=r"version 7\.0 of shelldock wrote it"):
        restore(tmp_path / "b", paths)


def test_a_file_that_is_there_is_written_over_only_by_force(home: Home, tmp_path: Path) -> None:
    paths, file = home("sqlite"), tmp_path / "b"
    file.write_text("of last week")
    with pytest.raises(ConflictError, match="is there already"):
        back_up(paths, file)
    assert file.read_text() == "of last week"
    back_up(paths, file, force=True)
    restore(file, home("sqlite"))


def test_places_that_are_not_there_are_told(home: Home, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot write '.*none/b': no such file or directory"):
        back_up(home("sqlite"), tmp_path / "none" / "b")
    with pytest.raises(NotFoundError, match=r"no file '.*none'"):
        restore(tmp_path / "none", home("sqlite"))


def run(paths: Paths, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command line in a home."""
    return subprocess.run(
        [sys.executable, "-m", "shelldock", *map(str, arguments)],
        env=os.environ | {"SHELLDOCK_HOME": str(paths.config)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_line_backs_up_and_restores_and_shows_no_password(
    paths: Paths, home: Home, tmp_path: Path
) -> None:
    put(paths, "sw1")
    new, file = home("sqlite"), tmp_path / "b"
    done = run(paths, "backup", file, "--json")
    assert json.loads(done.stdout)["rows"]["resources"] == 1
    there = run(paths, "restore", file)
    assert there.returncode == 2
    assert "is not empty; give --force to replace what is there" in there.stderr
    restored = run(paths, "restore", file, "--force")
    assert "1 resources, 0 executions, 0 sandboxes, 0 users restored into " in restored.stderr
    assert f"the settings in {paths.settings} stay as they are" in restored.stderr
    assert (
        json.loads(run(new, "restore", file, "--json").stdout)["backup"]["rows"]["resources"] == 1
    )
    assert run(new, "restore", file).returncode == 2
    assert run(new, "restore", tmp_path / "none").returncode == 3
    shown = [done, there, restored, run(paths, "--verbose", "resource", "list")]
    assert "not-shown" not in "".join(one.stdout + one.stderr for one in shown)
