"""A store of an earlier version becomes one of this; one of a later version is left alone."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from alembic.script import ScriptDirectory
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from tests.databases import PostgreSQL

from shelldock import migrations
from shelldock.errors import StoreError
from shelldock.ledger import Ledger
from shelldock.model import Execution, Resource
from shelldock.settings import HistorySettings
from shelldock.store import Store
from shelldock.tables import HEAD, metadata

FIRST = """
create table resources (
    id varchar(36) not null, name varchar not null, shell varchar not null, model varchar not null,
    family varchar not null, address varchar not null, description varchar not null, attributes json not null,
    unique_identifier varchar not null, excluded boolean not null, status varchar not null,
    status_text varchar not null, app_request varchar not null, deployed_app varchar not null,
    primary key (id), unique (name)
);
create table shelldock_schema (version integer not null);
insert into shelldock_schema values (1);
insert into resources values ('1', 'sw1', '', '', '', '10.0.0.1', '', '{"A": "b"}', '', false, '', '', '', '')
"""
"""A store as the first version made it, with a resource."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shelldock.db'}"
    server: PostgreSQL = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """The database, without the store."""
    made = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    yield made
    made.dispose()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store(url)
    yield made
    made.close()


def run(engine: Engine, statements: str) -> None:
    with engine.begin() as connection:
        for one in statements.split(";\n"):
            connection.exec_driver_sql(one)


def shape(connection: Connection) -> dict[str, object]:
    """All that tells one table from another."""
    there = inspect(connection)
    return {
        name: {
            "columns": [str(one) for one in there.get_columns(name)],
            "key": there.get_pk_constraint(name),
            "unique": sorted(map(str, there.get_unique_constraints(name))),
            "indexes": sorted(map(str, there.get_indexes(name))),
            "foreign": there.get_foreign_keys(name),
        }
        for name in there.get_table_names()
    }


def tables(engine: Engine) -> list[str]:
    return sorted(inspect(engine).get_table_names())


def test_the_steps_lead_to_what_a_new_store_is(engine: Engine, store: Store) -> None:
    store.resources()
    with engine.connect() as connection:
        new = shape(connection)
        number = connection.execute(text("select version from shelldock_schema")).all()
    with engine.begin() as connection:
        metadata.drop_all(connection)
        migrations.upgrade(connection)
    with engine.connect() as connection:
        assert shape(connection) == new
        assert connection.execute(text("select version from shelldock_schema")).all() == number
    assert sorted(new) == sorted(metadata.tables)


def test_the_newest_step_is_the_one_that_the_store_looks_for() -> None:
    assert ScriptDirectory(str(migrations.HERE)).get_heads() == [HEAD]


def test_a_store_of_the_first_version_is_upgraded_with_all_it_has(
    engine: Engine, store: Store
) -> None:
    run(engine, FIRST)
    assert store.resources() == [
        Resource(name="sw1", id="1", address="10.0.0.1", attributes={"A": "b"})
    ]
    assert tables(engine) == sorted(metadata.tables)
    store.close()
    assert len(store.resources()) == 1


def test_a_store_of_the_version_before_folders_is_upgraded_with_all_it_has(
    engine: Engine, store: Store
) -> None:
    with engine.begin() as connection:
        migrations.upgrade(connection, "0002")
    run(engine, FIRST.rpartition(";\n")[2])
    (found,) = store.resources()
    assert (found.name, found.address, found.folder) == ("sw1", "10.0.0.1", "")
    with store.change() as change:
        change.put(replace(found, folder="Lab 1"))
    store.close()
    assert [one.folder for one in store.resources()] == ["Lab 1"]


def test_an_execution_of_the_version_before_long_results_is_read_as_it_was(
    engine: Engine, store: Store, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        migrations.upgrade(connection, "0003")
    execution = Execution(
        id="e1", target="sw1", command="show", accepted=1.0, state="completed", result="x" * 200_000
    )
    row = {"record": msgspec.json.encode(execution).decode()}
    with engine.begin() as connection:
        connection.execute(
            text(
                'insert into executions (id, state, target, sandbox, command, "user", accepted, record) '
                "values ('e1', 'completed', 'sw1', '', 'show', '', 1.0, :record)"
            ),
            row,
        )
    assert Ledger(store, tmp_path, HistorySettings()).get("e1") == execution


def test_a_store_that_had_some_of_the_tables_is_upgraded_with_all_it_has(
    engine: Engine, store: Store
) -> None:
    run(engine, FIRST)
    with engine.begin() as connection:
        for name in ("sandboxes", "users"):
            metadata.tables[name].create(connection)
        connection.execute(
            text("insert into users values ('ann', 'ann', 'admin', '', true, 'x', 1.0)")
        )
    store.resources()
    with engine.connect() as connection:
        assert connection.execute(text("select name from users")).scalars().all() == ["ann"]
    assert tables(engine) == sorted(metadata.tables)


def test_a_step_that_fails_leaves_the_store_as_it_was(engine: Engine, store: Store) -> None:
    run(engine, FIRST)
    run(engine, "create table audit (badge integer)")  # the last table that the step makes
    with engine.connect() as connection:
        before = shape(connection)
    with pytest.raises(StoreError) as caught:
        store.resources()
    assert "\n" not in str(caught.value)
    assert store.place in str(caught.value)
    with engine.connect() as connection:
        assert shape(connection) == before
    run(engine, "drop table audit")
    assert len(store.resources()) == 1


@pytest.mark.parametrize("newer", ["update alembic_version set version_num = '0999'", None])
def test_a_store_of_a_later_version_is_refused_and_left_alone(
    engine: Engine, store: Store, newer: str | None
) -> None:
    if newer:
        store.resources()
        store.close()
    run(engine, newer or FIRST.replace("values (1)", "values (999)"))
    before = tables(engine)
    with pytest.raises(StoreError, match=f"a newer version of shelldock wrote it.*0999.*{HEAD}"):
        store.resources()
    assert tables(engine) == before


def test_a_program_of_the_first_version_is_kept_away(engine: Engine, store: Store) -> None:
    run(engine, FIRST)
    store.resources()
    with engine.connect() as connection:
        assert connection.execute(text("select version from shelldock_schema")).all() == [(2,)]


def _open(url: str, go: object, said: object) -> None:
    go.wait()  # type: ignore[attr-defined]
    store = Store(url)
    said.put(len(store.resources()))  # type: ignore[attr-defined]
    store.close()


@pytest.mark.parametrize("there", ["nothing", "the first version"])
def test_processes_that_open_it_at_once_bring_it_up_once(
    url: str, engine: Engine, there: str
) -> None:
    if there != "nothing":
        run(engine, FIRST)
    spawn = multiprocessing.get_context("spawn")
    go, said = spawn.Event(), spawn.Queue()
    opening = [spawn.Process(target=_open, args=(url, go, said)) for _ in range(4)]
    for one in opening:
        one.start()
    go.set()
    assert {said.get(timeout=60) for _ in opening} == {0 if there == "nothing" else 1}
    for one in opening:
        one.join()
    said.close()
    with engine.connect() as connection:
        assert connection.execute(text("select version_num from alembic_version")).all() == [
            (HEAD,)
        ]


def test_a_store_that_is_up_to_date_opens_without_alembic(tmp_path: Path) -> None:
    program = (
        "import sys; from shelldock.store import Store; store = Store(sys.argv[1]); store.resources(); store.close();"
        "sys.exit('alembic' in sys.modules)"
    )
    for _ in ("new", "known"):
        command = [sys.executable, "-c", program, f"sqlite:///{tmp_path / 's.db'}"]
        assert subprocess.run(command, check=False, timeout=60).returncode == 0
