"""However an instance ends, it is cleaned up in bounded time and nothing is left, on every interpreter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.system.shelldriver.conftest import lines, said

if TYPE_CHECKING:
    from tests.system.shelldriver.conftest import Instance, Serve, Server

DRIVER = """
    import json, logging, logging.handlers, os, queue, subprocess, sys, threading, time

    class Driver:
        how = ""

        def initialize(self, context):
            pass

        def cleanup_will(self, how):
            self.how = how

        def cleanup(self):
            print("cleanup", flush=True)
            if self.how == "raise":
                raise RuntimeError("device", "is gone")
            if self.how == "exit":
                sys.exit(3)
            if self.how == "hang":
                time.sleep(60)

        def offspring(self):
            '''A child, one in its own session, and a daemon in its own session whose parent ended.'''
            sleep = "import time; time.sleep(120)"
            fork = ("import os, time\\n"
                    "if os.fork() == 0:\\n os.setsid()\\n pid = os.fork()\\n"
                    " if pid: print(pid, flush=True); os._exit(0)\\n time.sleep(120)\\nos.wait()")
            child = subprocess.Popen([sys.executable, "-c", sleep])
            own = subprocess.Popen([sys.executable, "-c", sleep], start_new_session=True)
            return [child.pid, own.pid, self.daemon(fork)]

        def daemon(self, code):
            process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
            pid = int(process.stdout.readline())
            process.wait()
            return pid

        def die(self):
            os._exit(4)

        def busy(self, seconds, cancellation_context):
            print("busy", flush=True)
            deadline = time.time() + float(seconds)
            while time.time() < deadline:
                time.sleep(0.02)
                if cancellation_context.is_cancelled:
                    print("cancelled", flush=True)
                    return "cancelled"
            return "done"

        def deaf(self):
            time.sleep(60)

        def log_later(self):
            waiting = queue.Queue()
            logging.getLogger().addHandler(logging.handlers.QueueHandler(waiting))
            def write():
                while True:
                    record = waiting.get()
                    time.sleep(0.05)
                    print("late", record.getMessage(), flush=True)
            threading.Thread(target=write, daemon=True).start()
            for number in range(3):
                logging.warning("record %d", number)

        def stay(self):
            threading.Thread(target=time.sleep, args=(60,)).start()
"""

COMMANDS: dict[str, list[list[str | None]]] = {}

End = Callable[["Instance"], None]


def _stop(instance: Instance) -> None:
    assert instance.stop()["error"] is None


ENDS: dict[str, End] = {
    "stopped": _stop,
    "host-closed": lambda instance: instance.wire.close(),
    "killed": lambda instance: os.kill(instance.pid, signal.SIGKILL),
    "killed-by-request": lambda instance: instance.server.control.send(
        do="kill", number=instance.number
    ),
    "own-exit": lambda instance: instance.wire.send(
        do="call", call="x", command="die", inputs={}, ports=[], context=None
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_no_offspring_survives_in_whatever_session_it_is(
    driver: Server, dies: Callable[..., bool], end: str
) -> None:
    instance, other = driver.ready(), driver.ready()
    offspring = json.loads(instance.call("offspring"))
    others = json.loads(other.call("offspring"))
    assert len(offspring) == 3
    ENDS[end](instance)
    assert isinstance(instance.gone, int)
    # Once it is told to be gone, nothing of it is left; and of others, all.
    assert all(dies(pid, 0) for pid in offspring)
    assert not any(dies(pid, 0) for pid in others)


def test_when_the_host_closes_a_channel_cleanup_runs_once(driver: Server) -> None:
    instance = driver.ready()
    instance.wire.close()
    assert instance.gone == 0
    assert instance.output == "cleanup\n"


def test_a_driver_that_stays_busy_hears_the_cancel_and_is_cleaned_up_when_the_host_goes(
    driver: Server,
) -> None:
    instance = driver.ready()
    instance.ask("busy", {"seconds": "60"})
    while "busy" not in instance.output:
        time.sleep(0.01)
    instance.ask("die")
    instance.wire.close()
    assert instance.gone == 0
    assert instance.output == "busy\ncancelled\ncleanup\n"


def test_a_driver_that_hears_nothing_is_cleaned_up_all_the_same(serve: Serve) -> None:
    instance = serve(DRIVER, host_lost=1).ready()
    instance.ask("deaf")
    time.sleep(0.05)
    instance.wire.close()
    assert instance.gone == 0
    assert instance.output == "cleanup\n"


@pytest.mark.parametrize("concurrent", [False, True], ids=["sequential", "concurrent"])
def test_stop_waits_for_what_runs_and_cancels_it(driver: Server, concurrent: bool) -> None:
    instance = driver.ready(concurrent=concurrent)
    instance.ask("busy", {"seconds": "60"})
    time.sleep(0.05)
    assert instance.stop()["text"] == "cancelled"
    assert instance.wire.receive() == {"is": "stopped", "error": None}
    assert instance.gone == 0


@pytest.mark.parametrize(
    ("how", "error"), [("raise", "RuntimeError: device: is gone"), ("exit", "SystemExit: 3")]
)
def test_what_cleanup_raises_is_told_and_no_more_I6(driver: Server, how: str, error: str) -> None:
    instance = driver.ready()
    instance.call("cleanup_will", how=how)
    assert instance.stop() == {"is": "stopped", "error": error}
    assert instance.gone == 0
    assert "driver.py" in instance.output


def test_a_cleanup_that_hangs_is_given_up_at_its_limit_I6(
    driver: Server, dies: Callable[..., bool]
) -> None:
    instance = driver.ready()
    offspring = json.loads(instance.call("offspring"))
    instance.call("cleanup_will", how="hang")
    started = time.monotonic()
    assert instance.stop(limit=0.5) == {
        "is": "stopped",
        "error": "cleanup did not end within 0.5 s",
    }
    assert instance.gone == 1
    assert 0.5 <= time.monotonic() - started < 10
    assert all(dies(pid, 0) for pid in offspring)


def test_a_stop_without_limit_waits(driver: Server) -> None:
    instance = driver.ready()
    assert instance.stop(limit=None) == {"is": "stopped", "error": None}
    assert instance.gone == 0


def test_a_stop_before_initialize_cleans_nothing_up(driver: Server) -> None:
    instance = driver.start()
    assert instance.stop() == {"is": "stopped", "error": None}
    assert instance.gone == 0
    assert instance.output == ""


def test_cleanup_runs_once_however_often_it_is_asked_for_I6(driver: Server) -> None:
    instance = driver.ready()
    stop = {"do": "stop", "reason": "test", "limit": 5}
    instance.wire.send_all(stop, stop, stop)
    assert instance.wire.receive() == {"is": "stopped", "error": None}
    instance.wire.close()
    assert instance.gone == 0
    assert instance.output == "cleanup\n"


def test_a_host_that_goes_while_cleanup_hangs_shortens_its_limit(serve: Serve) -> None:
    instance = serve(DRIVER, host_lost=0.5).ready()
    instance.call("cleanup_will", how="hang")
    instance.wire.send(do="stop", reason="test", limit=60)
    time.sleep(0.1)
    instance.wire.close()
    assert instance.gone == 1


def test_records_written_by_threads_are_waited_for(driver: Server) -> None:
    instance = driver.ready()
    instance.call("log_later")
    assert instance.stop()["error"] is None
    assert instance.gone == 0
    assert "late record 1" in instance.output


def test_threads_of_the_driver_do_not_hold_up_the_end(driver: Server) -> None:
    instance = driver.ready()
    instance.call("stay")
    assert instance.stop()["error"] is None
    assert instance.gone == 0


def test_when_the_host_hangs_up_all_are_cleaned_up_and_the_fork_server_ends(
    serve: Serve, dies: Callable[..., bool]
) -> None:
    server = serve(DRIVER, host_lost=4)
    instances = [server.ready() for _ in range(3)]
    pids = [instance.pid for instance in instances]
    offspring = [pid for instance in instances for pid in json.loads(instance.call("offspring"))]
    started = time.monotonic()
    # Somebody else may hold a copy of a channel: control alone says it, too.
    server.control.close()
    assert server.popen.wait(10) == 0
    assert time.monotonic() - started < 5
    assert all(dies(pid, 1) for pid in pids + offspring)
    assert [instance.output for instance in instances] == ["cleanup\n"] * 3


def test_when_the_host_hangs_up_what_hangs_is_killed_in_time(
    serve: Serve, dies: Callable[..., bool]
) -> None:
    server = serve(DRIVER, host_lost=0.5)
    instance = server.ready()
    instance.call("cleanup_will", how="hang")
    pids = [instance.pid, *json.loads(instance.call("offspring"))]
    server.control.close()
    assert server.popen.wait(5) == 0
    assert all(dies(pid, 1) for pid in pids)


HOST = """
    import sys, time
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    import conftest
    server = conftest.Server(sys.argv[2], Path(sys.argv[3]), {})
    assert server.load(Path(sys.argv[4]), "driver.Driver")["is"] == "loaded"
    instance = server.ready()
    offspring = __import__("json").loads(instance.call("offspring"))
    instance.ask("busy", {"seconds": "60"})
    while "busy" not in instance.output:
        time.sleep(0.01)
    print(server.popen.pid, instance.pid, *offspring, flush=True)
    time.sleep(60)
"""


def test_a_host_that_is_killed_leaves_no_process_behind(
    python: str, tmp_path: Path, dies: Callable[..., bool]
) -> None:
    source, folder = tmp_path / "source", tmp_path / "folder"
    source.mkdir()
    folder.mkdir()
    (source / "driver.py").write_text(textwrap.dedent(DRIVER))
    arguments = [str(Path(__file__).parent), python, str(folder), str(source)]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOST), *arguments], stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        pids = [int(pid) for pid in host.stdout.readline().split()]
        assert len(pids) == 5
        host.kill()
    deadline = time.monotonic() + 5
    assert all(dies(pid, max(0, deadline - time.monotonic())) for pid in pids)
    assert said(lines((folder / "logs" / "i1.log").read_text())) == "busy\ncancelled\ncleanup\n"
