"""A deployed app's driver, with PyMySQL and a real MariaDB server, in twenty sandboxes that share a switch."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests import mariadb, switches
from tests.mariadb import MariaDB
from tests.serving import Machine, Server
from tests.switches import Switch
from tests.workshop import alive, clean_environ

from shelldock import AsyncHost, blueprints
from shelldock.blueprints import Blueprint
from shelldock.client import Client
from shelldock.errors import DriverError
from shelldock.paths import Paths
from shelldock.settings import load

EXAMPLE = Path(__file__).parents[2] / "docs/examples/mysql-app"
COUNT = 20
TYPED = 3
"""How many of the sandboxes are driven from the command line; each command is a process."""
COLUMNS = "id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50), photo BLOB, at DATETIME"
ROWS = [
    {"id": 1, "name": "Zoë; DROP TABLE x -- 'quoted' \\ and\na second line", "photo": "\x00\x1a"},
    {"id": 2, "name": None, "at": "2026-11-24 10:10:00"},
]


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    """A server for the tests of this file."""
    with mariadb.running() as server:
        yield server


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    """A switch that sandboxes share."""
    with switches.simulated(tmp_path_factory.mktemp("switch")) as switch:
        yield switch


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Places for the hosts of this file, one after another: environments are built once."""
    return tmp_path_factory.mktemp("home")


def equipped(host: AsyncHost, switch: Switch) -> None:
    """Let it have the shells, and the switch that sandboxes share."""
    host.catalog.add(EXAMPLE)
    shell = host.catalog.add(switches.EXAMPLE)
    if "sw1" not in [one.name for one in host.inventory.resources()]:
        host.inventory.create("sw1", shell)
    host.inventory.set("sw1", address=switch.address, attributes=switches.ATTRIBUTES)


def opened(home: Path) -> AsyncHost:
    return AsyncHost(load(None, {}), paths=Paths.below(home), durable=True)


@pytest.fixture
async def host(home: Path) -> AsyncIterator[AsyncHost]:
    """A durable host that has the shell; sandboxes that a test leaves are ended."""
    async with opened(home) as host:
        host.catalog.add(EXAMPLE)
        yield host
        for one in await host.list_sandboxes():
            await host.end_sandbox(one.id)


def lab(server: MariaDB, backups: Path, *, shared: bool = False) -> Blueprint:
    """The example's blueprint, for this server; the switch only where the test has one."""
    text = (EXAMPLE / "lab.yaml").read_text().replace("Port: 3307", f"Port: {server.port}")
    assert server.password in text
    whole = blueprints.read(text.replace("/tmp/mysql-lab", str(backups)))
    return whole if shared else replace(whole, resources=())


async def started(host: AsyncHost, blueprint: Blueprint) -> str:
    """A sandbox of the blueprint whose app is provisioned."""
    sandbox = (await host.start_blueprint(blueprint)).sandbox.id
    await ask(host, sandbox, "provision")
    return sandbox


async def ask(host: AsyncHost, sandbox: str, command: str, **inputs: str) -> str:
    """What the app of a sandbox answers."""
    return (await host.execute(host.locate("MySQL", sandbox), command, inputs)).result or ""


def database(host: AsyncHost, sandbox: str) -> str:
    """What the app of a sandbox says that its database is called."""
    return host.locate("MySQL", sandbox).resource.attributes["MySQL App.Database"]


def below(folder: Path) -> set[str]:
    """All that is in a folder, however deep: files, and folders without any."""
    return {str(one) for one in folder.rglob("*") if one.is_file() or not any(one.iterdir())}


def kept(home: Path) -> bytes:
    """What a host wrote into its store and its logs."""
    files = [*Paths.below(home).data.glob("shelldock.db*"), *home.rglob("*.log")]
    return b"".join(file.read_bytes() for file in files)


async def test_twenty_sandboxes_have_an_app_each_and_share_a_switch_and_leave_nothing_i1_i9(
    host: AsyncHost, server: MariaDB, switch: Switch, tmp_path: Path
) -> None:
    equipped(host, switch)
    blueprint = lab(server, tmp_path / "backups", shared=True)
    labs = await asyncio.gather(*(started(host, blueprint) for _ in range(COUNT)))

    async def used(number: int, sandbox: str) -> str:
        await ask(host, sandbox, "create_table", table="guests", columns=COLUMNS)
        rows = json.dumps([{"name": f"guest of {number}"}])
        await ask(host, sandbox, "insert_rows", table="guests", rows=rows)
        path = await ask(host, sandbox, "backup", name="one")
        await ask(host, sandbox, "drop_table", table="guests")
        await ask(host, sandbox, "restore", name="one")
        (row,) = json.loads(await ask(host, sandbox, "list_rows", table="guests"))
        assert row["name"] == f"guest of {number}"
        assert "passed: 1 tables" in await ask(host, sandbox, "health_check")
        shown = {"custom_command": "show version | include image"}
        asked = await host.execute(host.locate("sw1", sandbox), "run_custom_command", shown)
        assert "System image file" in (asked.result or "")
        return path

    paths = await asyncio.gather(*(used(number, one) for number, one in enumerate(labs)))
    assert len(set(paths)) == COUNT
    assert below(tmp_path / "backups") == set(paths)
    assert server.databases() == server.users() == {database(host, one) for one in labs}
    assert len(server.databases()) == COUNT

    instances = await host.instances()
    apps = [one for one in instances if one.target == "MySQL"]
    assert len({one.pid for one in apps}) == COUNT
    assert len({one.environment for one in apps}) == 1
    assert [one.target for one in instances if one not in apps] == ["sw1"]

    await asyncio.gather(*(host.end_sandbox(one) for one in labs))
    assert not alive(one.pid for one in apps)
    assert [one.target for one in await host.instances()] == ["sw1"]
    assert server.databases() == server.users() == set()
    assert below(tmp_path / "backups") == set()


class Typed:
    """Somebody who drives a sandbox from the command line of another machine."""

    def __init__(self, machine: Machine, blueprint: Path) -> None:
        self._machine = machine
        self.sandbox = machine("sandbox", "start", blueprint).strip()

    def ask(self, target: str, command: str, **inputs: str) -> str:
        """What a command answers."""
        values = [f"{name}={value}" for name, value in inputs.items()]
        said = self._machine("execute", target, command, *values, "--sandbox", self.sandbox)
        return said.removesuffix("\n")

    def end(self) -> None:
        """End the sandbox."""
        self._machine("sandbox", "end", self.sandbox)


class Sent:
    """A program that drives a sandbox over HTTP."""

    def __init__(self, client: Client, blueprint: Blueprint) -> None:
        self._client = client
        self.sandbox = client.start_blueprint(blueprint).sandbox.id

    def ask(self, target: str, command: str, **inputs: str) -> str:
        """What a command answers."""
        ended = self._client.execute(target, command, inputs, sandbox=self.sandbox)
        assert ended.state == "completed", ended
        return ended.result or ""

    def end(self) -> None:
        """End the sandbox."""
        self._client.end_sandbox(self.sandbox)


def guested(user: Typed | Sent) -> str:
    """Use the app and the switch of a sandbox; the file of a backup."""
    user.ask("MySQL", "provision")
    user.ask("MySQL", "create_table", table="guests", columns=COLUMNS)
    rows = json.dumps([{"name": f"guest of {user.sandbox}"}])
    user.ask("MySQL", "insert_rows", table="guests", rows=rows)
    path = user.ask("MySQL", "backup", name="one")
    user.ask("MySQL", "drop_table", table="guests")
    user.ask("MySQL", "restore", name="one")
    (row,) = json.loads(user.ask("MySQL", "list_rows", table="guests"))
    assert row["name"] == f"guest of {user.sandbox}"
    assert "passed: 1 tables" in user.ask("MySQL", "health_check")
    shown = user.ask("sw1", "run_custom_command", custom_command="show version | include image")
    assert "System image file" in shown
    return path


async def test_twenty_sandboxes_of_a_server_are_driven_by_command_line_and_rest_and_leave_nothing_i1_i9(
    home: Path, server: MariaDB, switch: Switch, tmp_path: Path
) -> None:
    async with opened(home) as host:
        equipped(host, switch)
    blueprint = lab(server, tmp_path / "backups", shared=True)
    await asyncio.to_thread(served, home, server, blueprint, tmp_path)


def served(home: Path, server: MariaDB, blueprint: Blueprint, folder: Path) -> None:
    """Serve, and use, twenty sandboxes of the blueprint."""
    file = folder / "lab.yaml"
    file.write_bytes(msgspec.yaml.encode(blueprint))
    serving = Server(home)
    try:
        with ThreadPoolExecutor(COUNT) as pool, Client(serving.url, serving.token()) as client:
            away = Machine(
                folder / "away", SHELLDOCK_SERVER=serving.url, SHELLDOCK_TOKEN=serving.token()
            )
            typed = pool.map(lambda _: Typed(away, file), range(TYPED))
            sent = pool.map(lambda _: Sent(client, blueprint), range(COUNT - TYPED))
            users: list[Typed | Sent] = [*typed, *sent]
            paths = set(pool.map(guested, users))
            assert len(paths) == COUNT
            assert below(folder / "backups") == paths
            assert len(server.databases()) == len(server.users()) == COUNT

            instances = client.instances()
            apps = [one for one in instances if one.target == "MySQL"]
            assert len({one.pid for one in apps}) == COUNT
            assert len({one.environment for one in apps}) == 1
            assert [one.target for one in instances if one not in apps] == ["sw1"]

            list(pool.map(lambda user: user.end(), users))
            assert client.list_sandboxes() == []
            assert [one.target for one in client.instances()] == ["sw1"]
        assert not alive(one.pid for one in apps)
        assert server.databases() == server.users() == set()
        assert below(folder / "backups") == set()
    finally:
        assert serving.end() == 0
    assert not alive(one.pid for one in instances)


async def test_a_backup_brings_every_value_back_as_it_was(
    host: AsyncHost, server: MariaDB, tmp_path: Path
) -> None:
    sandbox = await started(host, lab(server, tmp_path))
    await ask(host, sandbox, "create_table", table="guests", columns=COLUMNS)
    await ask(host, sandbox, "create_table", table="empty", columns="id INT")
    said = await ask(host, sandbox, "insert_rows", table="guests", rows=json.dumps(ROWS))
    assert said == "2"
    before = server.ask(f"CHECKSUM TABLE {database(host, sandbox)}.guests")
    backup = Path(await ask(host, sandbox, "backup"))
    await ask(host, sandbox, "drop_table", table="empty")
    await ask(host, sandbox, "insert_rows", table="guests", rows='[{"name": "later"}]')
    await ask(host, sandbox, "create_table", table="later", columns="id INT")
    assert await ask(host, sandbox, "restore", name=backup.stem) == "2"
    assert await ask(host, sandbox, "list_tables") == "empty\nguests"
    assert server.ask(f"CHECKSUM TABLE {database(host, sandbox)}.guests") == before
    assert await ask(host, sandbox, "list_backups") == backup.stem


async def test_what_cannot_be_is_the_driver_s_error_and_changes_nothing(
    host: AsyncHost, server: MariaDB, tmp_path: Path
) -> None:
    first, second = [await started(host, lab(server, tmp_path)) for _ in range(2)]
    await ask(host, first, "create_table", table="guests", columns=COLUMNS)
    theirs = database(host, second)
    for command, inputs, said in [
        ("create_table", {"table": "guests", "columns": "id INT"}, "already exists"),
        ("create_table", {"table": "x; DROP TABLE guests", "columns": "id INT"}, "is no name"),
        (
            "create_table",
            {"table": "x", "columns": f"id INT) SELECT * FROM {theirs}.t -- "},
            "denied",
        ),
        ("insert_rows", {"table": "guests", "rows": '[{"id": 5}, {"id": 5}]'}, "Duplicate entry"),
        ("insert_rows", {"table": "guests", "rows": '{"id": 5}'}, "rows are a JSON list"),
        ("restore", {"name": "../../x"}, "is no name of a backup"),
        ("restore", {"name": "older"}, "there is no backup 'older'; there are: none"),
    ]:
        with pytest.raises(DriverError, match=said):
            await ask(host, first, command, **inputs)
    assert await ask(host, first, "list_rows", table="guests") == "[]"
    part = tmp_path / database(host, first)
    part.mkdir(exist_ok=True)
    (part / "cut.sql").write_text("DROP TABLE guests;\n")
    with pytest.raises(DriverError, match="'cut' is not complete"):
        await ask(host, first, "restore", name="cut")
    assert await ask(host, first, "list_tables") == "guests"


async def test_an_app_without_a_database_says_so_and_one_may_be_removed_and_made_again(
    host: AsyncHost, server: MariaDB, tmp_path: Path
) -> None:
    sandbox = (await host.start_blueprint(lab(server, tmp_path))).sandbox.id
    with pytest.raises(DriverError, match="'MySQL' has no database yet; run 'provision' first"):
        await ask(host, sandbox, "list_tables")
    assert "failed: 'MySQL' has no database" in await ask(host, sandbox, "health_check")
    assert host.locate("MySQL", sandbox).resource.status == "Error"
    made = [await ask(host, sandbox, "provision") for _ in range(2)]
    assert made[0] == made[1]
    assert server.databases() == {database(host, sandbox)}
    assert "passed" in await ask(host, sandbox, "health_check")
    assert host.locate("MySQL", sandbox).resource.status == "Online"
    await ask(host, sandbox, "deprovision")
    assert server.databases() == server.users() == set()
    with pytest.raises(DriverError, match="has no database yet"):
        await ask(host, sandbox, "list_tables")
    await ask(host, sandbox, "provision")
    await ask(host, sandbox, "create_table", table="again", columns="id INT")
    await host.end_sandbox(sandbox)
    assert server.databases() == server.users() == set()


async def test_a_database_outlives_the_host_but_not_its_sandbox(
    home: Path, server: MariaDB, tmp_path: Path
) -> None:
    async with opened(home) as host:
        host.catalog.add(EXAMPLE)
        sandbox = await started(host, lab(server, tmp_path))
        await ask(host, sandbox, "create_table", table="guests", columns=COLUMNS)
    assert len(server.databases()) == 1, "the sandbox goes on"
    async with opened(home) as host:
        assert await ask(host, sandbox, "list_tables") == "guests"
        await host.end_sandbox(sandbox)
        assert server.databases() == server.users() == set()


KILLED = """
import os, signal, sys
from pathlib import Path
from shelldock import Host, blueprints
from shelldock.paths import Paths

with Host(paths=Paths.below(Path(sys.argv[1])), durable=True) as host:
    blueprint = blueprints.read(sys.stdin.read())
    sandbox = host.start_blueprint(blueprint).sandbox.id
    app = host.locate("MySQL", sandbox)
    host.execute(app, "provision")
    host.execute(app, "create_table", {"table": "guests", "columns": "id INT"})
    (instance,) = host.instances()
    print(sandbox, instance.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""A host that is killed while a sandbox goes on: says which, and the process of its app."""


def killed(home: Path, blueprint: Blueprint) -> str:
    """The sandbox that such a host left, once the process of its app has ended as well."""
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(home)],
        env=clean_environ(home),
        input=msgspec.json.encode(blueprint).decode(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    sandbox, pid = ended.stdout.split()
    deadline = time.monotonic() + 60
    while alive([int(pid)]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return sandbox


async def test_a_database_outlives_a_host_that_is_killed_and_the_next_one_looks_after_it(
    home: Path, server: MariaDB, tmp_path: Path
) -> None:
    async with opened(home) as host:  # the shell is there, whichever test comes first
        host.catalog.add(EXAMPLE)
    sandbox = await asyncio.to_thread(killed, home, lab(server, tmp_path))
    assert len(server.databases()) == 1, "the sandbox goes on"
    async with opened(home) as host:
        assert await ask(host, sandbox, "list_tables") == "guests"
        await host.end_sandbox(sandbox)
    assert server.databases() == server.users() == set()


async def test_a_server_that_is_away_is_told_in_a_line_and_sets_the_status(
    host: AsyncHost, server: MariaDB, tmp_path: Path
) -> None:
    away = dataclasses.replace(server, port=1)
    sandbox = (await host.start_blueprint(lab(away, tmp_path))).sandbox.id
    with pytest.raises(DriverError, match="Can't connect to MySQL server"):
        await ask(host, sandbox, "provision")
    assert "failed" in await ask(host, sandbox, "health_check")
    assert host.locate("MySQL", sandbox).resource.status == "Error"


async def test_passwords_are_nowhere_in_what_is_kept_n5(
    host: AsyncHost, home: Path, server: MariaDB, tmp_path: Path
) -> None:
    sandbox = await started(host, lab(server, tmp_path))
    app = host.locate("MySQL", sandbox).resource
    own = host.vault.decrypt(app.attributes["MySQL App.Database Password"])
    assert len(own) > 20
    content = kept(home)
    assert b"MySQL" in content
    for secret in (own, server.password):
        assert secret.encode() not in content
