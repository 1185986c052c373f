"""The store keeps what it was given, all of a change or none, and says its trouble in one line."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, inspect, text
from tests.databases import PostgreSQL

from shelldock import database as database_module
from shelldock.errors import ConflictError, StoreError
from shelldock.model import Resource
from shelldock.store import Store
from shelldock.tables import resources

FULL = Resource(
    name="sw1/Chassis 1",
    id="0f3a1c9e-0000-4000-8000-000000000001",
    shell="Switch",
    model="Switch.Chassis",
    family="CS_Chassis",
    address="CH1",
    description="of “größe” 1",
    attributes={"Switch.User": "admin", "CS_Switch.Location": "räck 'n\"; drop"},
    unique_identifier="77",
    excluded=True,
    status="Progress 30",
    status_text="loading",
    app_request='{"name": "x"}',
    deployed_app="{}",
)


def named(name: str, id: str = "") -> Resource:
    return Resource(name=name, id=id or f"id of {name}")


@pytest.fixture
def file(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'state' / 'shelldock.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, file: str) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        return file
    server: PostgreSQL = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close every store that a test opened: the sqlite3 of newer Pythons warns of those left open."""
    opened: list[Store] = []
    begin = Store.__init__

    def remember(store: Store, url: str) -> None:
        begin(store, url)
        opened.append(store)

    monkeypatch.setattr(Store, "__init__", remember)
    yield
    for store in opened:
        store.close()


def fill(store: Store, *what: Resource) -> None:
    with store.change() as change:
        change.put(*what)


def test_every_field_of_a_resource_survives_a_restart(url: str) -> None:
    fill(Store(url), FULL)
    assert Store(url).resources() == [FULL]


def test_the_table_has_a_column_for_every_field_of_the_noun() -> None:
    assert {column.name for column in resources.columns} == {
        field.name for field in msgspec.structs.fields(Resource)
    }


def test_a_store_in_memory_ends_with_its_host() -> None:
    store = Store.memory()
    fill(store, FULL)
    assert store.resources() == [FULL]
    assert Store.memory().resources() == []


def test_a_store_in_memory_is_shared_by_the_threads_of_its_host() -> None:
    store = Store.memory()
    threads = [
        threading.Thread(target=fill, args=(store, named(f"r{number}"))) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.resources()) == 8


def test_a_change_that_raises_leaves_nothing(url: str) -> None:
    store = Store(url)
    fill(store, named("sw1"))

    def swap() -> None:
        with store.change() as change:
            change.remove(["id of sw1"])
            change.put(named("sw2"))
            change.put(named("sw2", "another"))

    with pytest.raises(ConflictError):
        swap()
    assert [one.name for one in store.resources()] == ["sw1"]


def test_putting_replaces_what_has_the_same_id_even_under_another_name(url: str) -> None:
    store = Store(url)
    fill(store, named("old", "1"))
    fill(store, named("new", "1"))
    assert [one.name for one in store.resources()] == ["new"]


def test_a_name_that_another_process_took_is_a_conflict(url: str) -> None:
    fill(Store(url), named("sw1", "1"))
    with pytest.raises(ConflictError, match=r"'sw1'.*there already"):
        fill(Store(url), named("sw1", "2"))


def test_a_change_sees_what_others_wrote_before_it(url: str) -> None:
    mine, other = Store(url), Store(url)
    fill(mine, named("sw1"))
    fill(other, msgspec.structs.replace(named("sw1"), address="10.0.0.9"))
    with mine.change() as change:
        seen = change.resource("sw1")
    assert seen is not None
    assert seen.address == "10.0.0.9"


def test_a_tree_is_the_root_and_all_below_it_and_nobody_elses(url: str) -> None:
    store = Store(url)
    names = ["sw%", "sw%/A", "sw%/A/B", "sw%2", "swX", "swX/A", "SW%", "SW%/A"]
    fill(store, *map(named, names))
    with store.change() as change:
        assert [one.name for one in change.tree("sw%")] == ["sw%", "sw%/A", "sw%/A/B"]


def test_thousands_are_removed_in_one_change(url: str) -> None:
    store = Store(url)
    many = [named(f"p{number}") for number in range(3000)]
    fill(store, *many)
    with store.change() as change:
        change.remove(one.id for one in many)
    assert store.resources() == []


def test_readers_do_not_wait_for_a_writer(url: str) -> None:
    writer, reader = Store(url), Store(url)
    fill(writer, named("sw1"))
    reader.resources()
    with writer.change() as change:
        change.put(named("sw2"))
        assert [one.name for one in reader.resources()] == ["sw1"]


def test_many_processes_worth_of_writers_lose_nothing(url: str) -> None:
    fill(Store(url), named("r"))

    def count() -> None:
        store = Store(url)
        for _ in range(20):
            with store.change() as change:
                now = change.resource("r")
                assert now is not None
                change.put(
                    msgspec.structs.replace(now, status_text=str(int(now.status_text or "0") + 1))
                )

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Store(url).resources()[0].status_text == "80"


# ---- trouble ------------------------------------------------------------------------------------


def one_line(caught: pytest.ExceptionInfo[StoreError]) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("these are my notes " * 100)
    with pytest.raises(StoreError) as caught:
        Store(f"sqlite:///{file}").resources()
    assert str(file) in one_line(caught)
    assert "not a database" in one_line(caught)
    assert file.read_text().startswith("these are my notes")


def test_a_database_that_somebody_else_holds_is_said(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY", 0.2)
    fill(Store(url), named("sw1"))
    with Store(url).transaction(write=True), pytest.raises(StoreError) as caught:
        fill(Store(url), named("sw2"))
    assert "lock" in one_line(caught)
    assert "another process has been writing for" in one_line(caught)
    assert [one.name for one in Store(url).resources()] == ["sw1"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        Store(f"sqlite:///{tmp_path / 'file' / 'state.db'}").resources()
    assert str(tmp_path / "file") in one_line(caught)


def test_a_folder_in_the_files_place_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Store(f"sqlite:///{tmp_path}").resources()
    assert f"{str(tmp_path)!r}: unable to open database file; its folder must exist" in one_line(
        caught
    )


def test_a_full_disk_is_said_and_nothing_is_half_written(file: str) -> None:
    store = Store(file)
    fill(store, named("sw1"))
    with store.change() as change:  # SQLite's own quota stands in for the disk's
        change._connection.exec_driver_sql("PRAGMA max_page_count = 60")
    big = Resource(name="big", id="big", description="x" * 1_000_000)
    with pytest.raises(StoreError) as caught:
        fill(store, big)
    assert "full" in one_line(caught)
    assert [one.name for one in store.resources()] == ["sw1"]


@pytest.mark.parametrize("url", ["here", "", "sqlite", "nosuch://x"])
def test_what_is_no_url_is_said(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(url).resources()
    assert url in one_line(caught)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://me:secret@127.0.0.1:9/x",
        "postgres://me:secret@127.0.0.1:9/x",
        "postgresql://me@127.0.0.1:9/x?password=secret",
        "postgresql://me:se@secret@127.0.0.1:none/x",
        "postgresql:/me:secret@127.0.0.1:9/x",
        "oracle://me:secret@127.0.0.1:9/x",
        "nosuch://me:secret@127.0.0.1:9/x",
    ],
)
def test_the_password_in_a_url_is_not_shown(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(url).resources()
    told = "".join(traceback.format_exception(caught.value))
    assert "127.0.0.1:" in one_line(caught)
    assert "secret" not in told


def test_tables_of_somebody_else_are_left_alone(url: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    Path(engine.url.database or "").parent.mkdir(exist_ok=True)
    with engine.begin() as connection:
        connection.execute(text("create table users (badge integer)"))
    with pytest.raises(StoreError) as caught:
        Store(url).resources()
    assert "already exists; it has tables of something else" in one_line(caught)
    assert inspect(engine).get_table_names() == ["users"]
    engine.dispose()


def test_a_database_server_that_was_restarted_is_used_again(url: str, postgres: PostgreSQL) -> None:
    store = Store(url)
    fill(store, named("sw1"))
    postgres.stop()
    try:
        if store.place.startswith("postgresql"):
            with pytest.raises(StoreError) as caught:
                store.resources()
            assert "cannot use the store 'postgresql://lab:***@/" in one_line(caught)
    finally:
        postgres.start()
    fill(store, named("sw2"))
    assert [one.name for one in store.resources()] == ["sw1", "sw2"]
