"""An instance is imported, constructed, initialized, called and cleaned up, on every interpreter."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import time
from collections.abc import Callable
from multiprocessing.reduction import sendfds
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from tests.system.shelldriver.conftest import Serve, Server

COMMANDS: dict[str, list[list[str | None]]] = {}

DRIVER = """
    import json, os, sys, tempfile, threading
    print("imported as", __name__)
    EARLY = tempfile.gettempdir()
    count = 0

    if __name__ == "__main__":
        raise SystemExit("run")

    def main_thread():
        return threading.current_thread() is threading.main_thread()

    class Driver:
        def __init__(self):
            print("constructed", main_thread())

        def initialize(self, context):
            print("initialized", main_thread())

        def command(self):
            print("called", main_thread())

        def count(self):
            global count
            count += 1
            return count

        def surroundings(self):
            import random
            return {
                "pid": os.getpid(), "group": os.getpgid(0), "session": os.getsid(0), "cwd": os.getcwd(),
                "home": os.path.expanduser("~"), "tmp": tempfile.gettempdir(), "own": os.environ.get("OWN"),
                "hash": hash("text"), "random": random.random(), "path": sys.path, "argv": sys.argv[1:],
                "version": "%d.%d" % sys.version_info[:2],
                "inherited": [fd for fd in range(3, 256) if _inheritable(fd)],
            }

        def cleanup(self):
            print("cleaned up", main_thread())

    def _inheritable(fd):
        try:
            return os.get_inheritable(fd)
        except OSError:
            return False
"""


def test_a_driver_lives_in_order_on_the_main_thread_I3_C2(driver: Server) -> None:
    instance = driver.ready()
    instance.call("command")
    assert instance.stop() == {"is": "stopped", "error": None}
    assert instance.gone == 0
    assert instance.output == "constructed True\ninitialized True\ncalled True\ncleaned up True\n"


def test_the_module_is_imported_once_and_not_run_C2(driver: Server) -> None:
    driver.ready()
    driver.ready()
    assert driver.output == "imported as driver\n"


def test_instances_share_nothing_I1(driver: Server) -> None:
    one, other = driver.ready(), driver.ready(environ={"OWN": "other's"})
    assert one.call("count") == "1"
    assert one.call("count") == "2"
    assert other.call("count") == "1"
    first, second = (json.loads(instance.call("surroundings")) for instance in (one, other))
    for name in ("pid", "group", "session", "cwd", "home", "tmp", "random"):
        assert first[name] != second[name], name
    assert first["pid"] == first["group"] == first["session"] == one.pid
    assert (first["cwd"], first["home"], first["tmp"]) == tuple(
        str(one.folder / name) for name in ("work", "home", "tmp")
    )
    assert (first["own"], second["own"]) == (None, "other's")


def test_environ_has_the_last_word(driver: Server) -> None:
    instance = driver.ready(environ={"HOME": "/somewhere", "TMPDIR": str(driver.folder)})
    found = json.loads(instance.call("surroundings"))
    assert (found["home"], found["tmp"]) == ("/somewhere", str(driver.folder))


def test_nothing_of_ours_is_passed_on_to_a_drivers_children(driver: Server) -> None:
    driver.ready()
    assert json.loads(driver.ready().call("surroundings"))["inherited"] == []


def test_the_log_is_its_owners_only(driver: Server) -> None:
    assert stat.S_IMODE(driver.ready().log.stat().st_mode) == 0o600


def test_the_drivers_folder_comes_first_and_the_current_one_not_at_all(driver: Server) -> None:
    found = json.loads(driver.ready().call("surroundings"))
    assert found["path"][0] == str(driver.folder / "source")
    assert str(driver.folder) not in found["path"]
    assert "" not in found["path"]
    assert found["argv"] == []


def test_the_hash_seed_of_the_environment_takes_effect(driver: Server, serve: Serve) -> None:
    def hash_of(server: Server) -> int:
        return int(json.loads(server.ready().call("surroundings"))["hash"])

    assert hash_of(driver) == hash_of(serve(DRIVER)) == hash_of(serve(DRIVER, way="fresh"))
    assert hash_of(driver) != hash_of(serve(DRIVER, environ={"PYTHONHASHSEED": "1"}))


@pytest.mark.parametrize("way", ["auto", "fresh"])
def test_a_failed_initialize_ends_the_process_without_cleanup_I4(serve: Serve, way: str) -> None:
    server = serve(
        """
        import os
        class Driver:
            def initialize(self, context):
                print("trying", flush=True)
                if not context:
                    raise RuntimeError("no device")
            def ping(self):
                return "pong"
            def cleanup(self):
                print("cleaned")
        """,
        way=way,
    )
    instance = server.start()
    error = instance.initialize(context=None)
    assert (error["kind"], error["type"], error["text"]) == ("driver", "RuntimeError", "no device")
    assert "driver.py" in error["trace"]
    assert instance.gone == 1
    assert "cleaned" not in instance.output
    assert server.ready(context={"now": "it works"}).call("ping") == "pong"


def test_a_failing_constructor_is_a_failed_initialize_I4(serve: Serve) -> None:
    instance = serve("class Driver:\n  def __init__(self, needed): pass").start()
    assert instance.initialize()["type"] == "TypeError"
    assert instance.gone == 1


def test_initialize_and_cleanup_may_be_missing_I7(serve: Serve) -> None:
    instance = serve("class Driver:\n  def ping(self): return 1").ready()
    assert instance.call("ping") == "1"
    assert instance.stop()["error"] is None
    assert instance.gone == 0


def test_initialize_with_any_keywords_gets_the_context_C5(serve: Serve) -> None:
    code = """
        class Driver:
            def initialize(self, **kwargs):
                self.given = kwargs
            def given_(self):
                return self.given
    """
    instance = serve(code).ready(context={"$class": "InitCommandContext", "resource": 1})
    assert json.loads(instance.call("given_")) == {"context": {"resource": 1}}


@pytest.mark.parametrize(
    ("import_time", "why"),
    [
        (
            "threading.Thread(target=time.sleep, args=(99,), name='poller', daemon=True).start()",
            "(poller)",
        ),
        ("_thread.start_new_thread(time.sleep, (99,))", "(a native thread)"),
    ],
)
def test_threads_at_import_make_instances_fresh(serve: Serve, import_time: str, why: str) -> None:
    server = serve(f"import threading, time, _thread\n{import_time}\n" + _PID)
    assert server.way == f"fresh: the import left threads alive {why}"
    instance = server.ready()
    assert int(instance.call("pid")) == instance.pid


_PID = """
import os, sys
print("imported")
class Driver:
    def pid(self): return os.getpid()
    def argv(self): return sys.argv[1:]
    def cleanup(self): print("cleaned")
"""


def test_fresh_instances_live_as_forked_ones_do(serve: Serve) -> None:
    server = serve(DRIVER, way="fresh")
    assert server.way == "fresh: it was asked for"
    instance = server.ready(environ={"OWN": "mine"})
    found = json.loads(instance.call("surroundings"))
    assert found["pid"] == found["group"] == found["session"] == instance.pid
    assert (found["own"], found["cwd"], found["argv"]) == (
        "mine",
        str(instance.folder / "work"),
        [],
    )
    assert found["path"][0] == str(server.folder / "source")
    assert str(server.folder) not in found["path"]
    assert instance.stop()["error"] is None
    assert instance.gone == 0
    assert (
        instance.output
        == "imported as driver\nconstructed True\ninitialized True\ncleaned up True\n"
    )
    assert server.output == ""


def test_a_load_request_of_megabytes_reaches_fresh_instances(serve: Serve) -> None:
    commands = {f"command{number}": [["parameter", "x" * 1000]] for number in range(3000)}
    assert serve(_PID, way="fresh", commands=commands).ready().call("pid")


BROKEN = {
    "import": ({"driver.py": "import json\nimport nowhere"}, "ModuleNotFoundError", "nowhere", "driver.py:2"),
    "deep": (
        {"driver.py": "\nfrom parts import inner", "parts/__init__.py": "", "parts/inner.py": "\n\n1 / 0"},
        "ZeroDivisionError", "division by zero", "parts/inner.py:3",
    ),
    "library": ({"driver.py": "import json\n\n\njson.loads('{')"}, "JSONDecodeError", "Expecting", "driver.py:4"),
    "syntax": ({"driver.py": "x = 1\ndef f(:\n  pass"}, "SyntaxError", "invalid syntax", "driver.py:2"),
    "class": (
        {"driver.py": "from json import JSONDecoder\nclass Other: pass\nclass Another: pass"},
        "LoadError", "module 'driver' has no class 'Driver'; classes there: 'Another', 'Other'", "driver.py:1",
    ),
    "module": (
        {"drivers.py": ""},
        "LoadError", "no module 'driver' in the driver's folder; modules there: 'drivers'", "",
    ),
    "exit": ({"driver.py": "import sys\nsys.exit('no licence')"}, "SystemExit", "no licence", "driver.py:2"),
    "lines": ({"driver.py": "raise Exception('one\\n  two')"}, "Exception", "one two", "driver.py:1"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_driver_that_cannot_be_imported_fails_with_file_and_line(serve: Serve, name: str) -> None:
    code, kind, text, where = BROKEN[name]
    server = serve(code, load=False)
    failed = server.load(server.folder / "source", "driver.Driver")
    assert (failed["is"], failed["type"], failed["where"]) == ("failed", kind, where)
    assert text in failed["text"]
    assert "\n" not in failed["text"]
    assert server.popen.wait(10) == 1


def test_a_fresh_instance_that_cannot_import_fails_by_itself(serve: Serve) -> None:
    server = serve("import nowhere", way="fresh")
    instance = server.start()
    failed = instance.began
    assert (failed["is"], failed["type"], failed["where"]) == (
        "failed",
        "ModuleNotFoundError",
        "driver.py:1",
    )
    assert instance.gone == 1


def test_a_process_that_ends_while_importing_hangs_up_and_is_gone(serve: Serve) -> None:
    server = serve("import os\nos._exit(9)", way="fresh")
    instance = server.start()
    assert instance.gone == 9
    with pytest.raises(EOFError):
        instance.wire.receive()


@pytest.mark.parametrize("way", ["auto", "fresh"])
def test_a_start_that_cannot_have_its_folder_fails_and_the_next_works(
    serve: Serve, way: str
) -> None:
    server = serve(_PID, way=way)
    blocked = server.folder / "i1"
    blocked.write_text("a file")
    instance = server.start()
    assert instance.began["type"] in ("NotADirectoryError", "FileExistsError")
    assert instance.gone == 1
    assert server.ready().call("pid")


@pytest.mark.parametrize("way", ["auto", "fresh"])
@pytest.mark.parametrize(
    ("import_time", "expected"),
    [
        ("", [True, True]),
        ("gc.disable()", [False, True]),
        ("gc.set_threshold(5)", [True, False]),
    ],
)
def test_drivers_have_the_garbage_collector_as_python_or_their_import_sets_it(
    serve: Serve, way: str, import_time: str, expected: list[bool]
) -> None:
    code = f"""
import gc, subprocess, sys
{import_time}
class Driver:
    def collector(self):
        plain = subprocess.check_output([sys.executable, "-c", "import gc; print(gc.get_threshold())"])
        return [gc.isenabled(), str(gc.get_threshold()) == plain.decode().strip()]
"""
    assert json.loads(serve(code, way=way).ready().call("collector")) == expected


def test_main_classes_may_lie_in_packages_C2(serve: Serve) -> None:
    code = {
        "shell/__init__.py": "",
        "shell/other.py": "X = 'pong'",
        "shell/impl.py": "from . import other\nclass Box:\n  def ping(self): return other.X",
    }
    assert serve(code, main="shell.impl.Box").ready().call("ping") == "pong"


def test_bytecode_stays_out_of_the_drivers_folder(
    serve: Serve, python: str, tmp_path: Path
) -> None:
    code = {"driver.py": "import parts.one\nclass Driver:\n  pass", "parts/one.py": ""}
    server = serve(code, pycache=str(tmp_path / "bytecode"))
    assert not list(server.folder.glob("source/**/*.pyc"))
    kept = sorted(path.name.partition(".")[0] for path in (tmp_path / "bytecode").rglob("*.pyc"))
    assert kept == ([] if "/3.7" in python else ["driver", "one"])


def test_output_of_the_import_is_not_written_again_by_instances(serve: Serve) -> None:
    server = serve("print('half a line', end='')\n" + _PID)
    assert server.ready().stop()["error"] is None
    assert server.ready().call("pid")
    assert server.output == "half a lineimported\n"


def test_many_starts_at_once_all_answer(driver: Server) -> None:
    instances = [driver.start() for _ in range(20)]
    for instance in instances:
        instance.wire.send(do="initialize", call=1, context=None)
    assert len({instance.pid for instance in instances}) == 20
    assert all(instance.wire.receive()["is"] == "result" for instance in instances)


def test_an_instance_that_is_never_told_what_to_be_leaves(driver: Server) -> None:
    instance = driver.ready()
    ours, theirs = socket.socketpair()
    sendfds(driver.handles, [theirs.fileno()])
    theirs.close()
    ours.close()
    assert driver.gone(instance.number + 1)["status"] == 0
    driver.skip()
    assert driver.ready().call("count") == "1"


def test_one_process_is_ready_in_advance_for_whoever_has_wanted_two(
    serve: Serve, dies: Callable[..., bool]
) -> None:
    server = serve(_PID)
    first = server.ready()
    assert children(server) == {first.pid}
    pids = [first.pid, server.ready().pid]
    (spare,) = spares(server, pids)
    assert server.ready().pid == spare
    (killed,) = spares(server, [*pids, spare])
    os.kill(killed, signal.SIGKILL)
    assert dies(killed)
    another = server.ready()
    assert another.pid not in (*pids, spare, killed)
    # That which was killed may be there still, as a process that nobody has waited for yet.
    (left,) = spares(server, [*pids, spare, killed, another.pid])
    assert server.end() == 0
    assert dies(left)


def children(server: Server) -> set[int]:
    """The processes of a fork server."""
    return {one.pid for one in psutil.Process(server.popen.pid).children()}


def spares(server: Server, instances: list[int]) -> set[int]:
    """Those of them that are no instances; waits until there are any."""
    deadline = time.monotonic() + 15
    while not (found := children(server).difference(instances)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def test_kill_ends_an_instance_at_once_Q7(driver: Server) -> None:
    instance = driver.ready()
    driver.control.send(do="kill", number=instance.number)
    driver.control.send(do="kill", number=10**6)
    assert instance.gone == -signal.SIGKILL


def test_an_instance_ends_on_its_own_when_its_fork_server_is_killed(
    serve: Serve, dies: Callable[..., bool]
) -> None:
    server = serve(_PID)
    instance = server.ready()
    pid = instance.pid
    server.popen.kill()
    assert instance.wire.receive() == {"is": "stopped", "error": None}
    assert dies(pid)
    assert instance.output == "cleaned\n"


def test_a_fork_server_whose_host_goes_during_the_import_ends(serve: Serve) -> None:
    server = serve("import time\ntime.sleep(60)", load=False)
    server.send_load(server.folder / "source", "driver.Driver")
    time.sleep(0.3)
    started = time.monotonic()
    assert server.end() == 1
    assert time.monotonic() - started < 10


def test_a_fresh_instance_whose_host_goes_during_the_import_ends(
    serve: Serve, dies: Callable[..., bool]
) -> None:
    code = "import os, time\nopen(os.path.expanduser('~/pid'), 'w').write(str(os.getpid()))\ntime.sleep(60)"
    server = serve(code, way="fresh")
    instance = server.start()
    place = instance.folder / "home" / "pid"
    while not (place.exists() and place.read_text()):
        time.sleep(0.01)
    instance.wire.close()
    assert instance.gone == 1
    assert dies(int(place.read_text()))


def test_children_of_the_import_are_left_alone_and_end_with_the_server(
    serve: Serve, dies: Callable[..., bool]
) -> None:
    code = """
        import subprocess, sys
        helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        class Driver:
            def helper(self): return helper.pid
    """
    server = serve(code)
    instance = server.ready()
    helper = int(instance.call("helper"))
    instance.stop()
    assert instance.gone == 0
    assert not dies(helper, 0.1)
    assert server.end() == 0
    assert dies(helper)
