"""A full or read-only disk, a database that is locked or gone, a clock set back: said in a line, nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.databases import PostgreSQL
from tests.workshop import Workshop, target

from shelldock import AsyncHost, database
from shelldock.errors import StoreError
from shelldock.paths import Paths
from shelldock.settings import load
from shelldock.store import Store

FULL = """\
import asyncio, sys
from pathlib import Path
from shelldock.errors import StoreError
from shelldock.ledger import Ledger
from shelldock.model import Execution
from shelldock.settings import HistorySettings
from shelldock.store import Store

def execution(id, target):
    return Execution(id=id, target=target, kind="resource", sandbox="", command="c", accepted=0)

async def main(folder):
    ballast = folder / "ballast"
    ballast.write_bytes(b"x" * 200_000)
    store = Store(f"sqlite:///{folder / 'shelldock.db'}")
    ledger = Ledger(store, folder, HistorySettings())
    await ledger.open()
    acknowledged, refused = [], []
    while len(refused) < 3:
        number = str(len(acknowledged) + len(refused))
        try:
            await ledger.write(execution(number, "t" * 20_000), new=True)
            acknowledged.append(number)
        except StoreError as error:
            refused.append(str(error))
    ballast.unlink()
    await ledger.write(execution("after", "t"), new=True)
    await ledger.close()
    store.close()
    with store.transaction() as connection:
        kept = set(connection.exec_driver_sql("select id from executions").scalars())
    store.close()
    assert acknowledged, "nothing was written"
    assert kept == {*acknowledged, "after"}, kept
    print("\\n".join(refused))

asyncio.run(main(Path(sys.argv[1])))
"""


def on_a_disk(folder: Path, options: str, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a command for which ``folder`` is a disk of its own; skips the test where nobody may make one."""
    folder.mkdir(exist_ok=True)
    program = shutil.which("unshare")
    alone = [program or "unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f'mount -t tmpfs -o {options} tmpfs "$0"'
    environ = os.environ | {"SHELLDOCK_HOME": str(folder / "home")}
    if (
        not program
        or subprocess.run([*alone, mount, folder], capture_output=True, check=False).returncode
    ):
        pytest.skip("only who may mount a disk can fill one")
    return subprocess.run(
        [*alone, f'{mount} && exec "$@"', folder, *map(str, command)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_when_the_disk_is_full_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    done = on_a_disk(tmp_path / "disk", "size=2m", sys.executable, "-c", FULL, tmp_path / "disk")
    assert done.returncode == 0, done.stderr
    for told in done.stdout.splitlines():
        assert "disk is full; make room and try again" in told


@pytest.mark.parametrize(
    "command",
    [["resource", "list"], ["shell", "list"], ["backup", "b"], ["restore", __file__], ["serve"]],
    ids=lambda command: str(command[0]),
)
def test_a_folder_that_cannot_be_written_is_told_in_a_line(
    tmp_path: Path, command: list[str]
) -> None:
    done = on_a_disk(tmp_path / "disk", "size=1m,ro", sys.executable, "-m", "shelldock", *command)
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    assert "read-only file system" in done.stderr
    assert str(tmp_path / "disk" / "home") in done.stderr


def test_a_backup_that_finds_the_disk_full_leaves_none(tmp_path: Path) -> None:
    home = tmp_path / "disk" / "home"
    program = f"""\
import os, subprocess, sys
from pathlib import Path
home = Path({str(home)!r})
shell = home / "data" / "shells" / "Box"
shell.mkdir(parents=True)
(shell / "noise").write_bytes(os.urandom(900_000))
done = subprocess.run([sys.executable, "-m", "shelldock", "backup", str(home / "b")], capture_output=True, text=True)
assert not (home / "b").exists() and not list(home.glob(".backup-*")), list(home.iterdir())
sys.stderr.write(done.stderr)
sys.exit(done.returncode)
"""
    done = on_a_disk(tmp_path / "disk", "size=1500k", sys.executable, "-c", program)
    assert done.returncode == 5, done.stderr
    assert done.stderr.count("\n") == 1
    assert "no space left on device" in done.stderr


def durable(paths: Paths, **variables: str) -> AsyncHost:
    return AsyncHost(load(None, variables), paths=paths, durable=True)


async def test_while_the_database_is_locked_commands_are_refused_and_work_again_after_it(
    paths: Paths, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY", 0.2)
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        before = await host.execute(box, "work", {"label": "before"})
        other = Store(f"sqlite:///{paths.store}")
        with other.transaction(write=True), pytest.raises(StoreError, match="database is locked"):
            await host.execute(box, "work", {"label": "meanwhile"})
        other.close()
        await host.execute(box, "work", {"label": "after"})
        assert (await host.execution(before.id)).state == "completed"
    begun = [event for event in workshop.journal.events() if event.startswith("begin")]
    assert begun == ["begin before", "begin after"]


async def test_when_the_database_server_was_restarted_the_host_goes_on(
    paths: Paths, workshop: Workshop, postgres: PostgreSQL
) -> None:
    async with durable(paths, SHELLDOCK_STORE__URL=postgres.database()) as host:
        box = target(host, workshop.shell())
        before = await host.execute(box, "work", {"label": "before"})
        postgres.stop("immediate")
        try:
            with pytest.raises(StoreError, match="cannot use the store") as caught:
                await host.execute(box, "work", {"label": "meanwhile"})
            assert "not-shown" not in str(caught.value)
        finally:
            postgres.start()
        await host.execute(box, "work", {"label": "after"})
        assert (await host.execution(before.id)).state == "completed"
        assert len((await host.history()).executions) == 2


async def test_when_the_clock_is_set_back_nothing_is_lost_and_the_order_stays(
    paths: Paths, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    done = []
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        done.append(await host.execute(box, "work"))
        monkeypatch.setattr(time, "time", lambda: real() - 86400)
        done.append(await host.execute(box, "work"))
        slow = await host.submit(box, "work", {"seconds": "0.5"})
        monkeypatch.setattr(time, "time", lambda: real() - 2 * 86400)
        done.append(await host.wait(slow.id))
    async with durable(paths) as host:
        newest_first = [one.id for one in reversed(done)]
        assert [one.id for one in (await host.history()).executions] == newest_first
        assert {one.state for one in (await host.history()).executions} == {"completed"}
