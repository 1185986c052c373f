"""One file tells an instance's whole life: each line with its time and its execution, whoever wrote it."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.system.shelldriver.conftest import Instance, Line, Serve, Server

DRIVER = """
    import json, logging, logging.handlers, os, signal, subprocess, sys, threading, time, warnings

    print("imported")

    class Driver:
        def initialize(self, context):
            print("initializing")

        def cleanup(self, reason):
            print("cleaning up: " + reason)

        def speak(self, text):
            print(text)
            print(text, file=sys.stderr)
            sys.stdout.buffer.write((text + "\\n").encode())
            sys.__stderr__.write(text + "\\n")
            logging.getLogger("lib").warning("%s\\n%s", text, text)
            warnings.warn(text)

        def in_threads(self, text):
            def write():
                for part in text:
                    print(part, end="")
                    time.sleep(0.001)
                print()
            threads = [threading.Thread(target=write) for _ in range(4)]
            for one in threads:
                one.start()
            write()
            for one in threads:
                one.join()

        def stay(self):
            def write():
                self.go.wait(20)
                print("from a thread that stayed")
                self.done.set()
            self.go, self.done = threading.Event(), threading.Event()
            threading.Thread(target=write, daemon=True).start()

        def let_it_write(self):
            self.go.set()
            self.done.wait(20)

        def together(self, text):
            if not hasattr(Driver, "barrier"):
                Driver.barrier = threading.Barrier(2)
            Driver.barrier.wait(20)
            for _ in range(50):
                print(text, end=" ")
                time.sleep(0.001)
                print(text)
            Driver.barrier.wait(20)

        def raw(self, how):
            print("before")
            if how == "child":
                subprocess.check_call(["echo", "from a child"])
            elif how == "part":
                os.write(1, b"no end")
            else:
                os.write(2, b"one\\ntwo\\n")
                if how == "alone":
                    return
            print("after")

        def part(self, flush):
            print("half", end="", flush=bool(flush))
            os.write(2, b"raw\\n") if flush == "raw" else None
            print(" and half", end="")

        def count(self, lines):
            for number in range(int(lines)):
                print("line %06d" % number)

        def count_in_child(self, lines):
            code = "for number in range(%s): print('line %%06d' %% number)" % lines
            subprocess.check_call([sys.executable, "-c", code])

        def children_that_stay(self):
            code = "import sys, time; sys.stdin.read(1); print('late', flush=True)"
            self.child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)

        def let_them_write(self):
            self.child.communicate(b"x")

        def log(self, level, text):
            logging.getLogger("lib").log(getattr(logging, level), text)

        def to_file(self, text, name="lib.log", kind="FileHandler"):
            folder = os.environ["LOG_PATH"]
            os.makedirs(folder, exist_ok=True)
            maker = getattr(logging, kind, None) or getattr(logging.handlers, kind)
            handler = maker(os.path.join(folder, name))
            handler.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
            logging.getLogger("lib").addHandler(handler)
            logging.getLogger("lib").error(text)
            logging.getLogger("lib").error(text + " again")

        def both(self, text):
            logging.basicConfig(stream=sys.stdout)
            self.to_file(text)

        def fork(self):
            print("half a line", end="")
            pid = os.fork()
            if not pid:
                print("from the fork")
                sys.stdout.flush()
                os._exit(0)
            os.waitpid(pid, 0)
            print(" of the parent")

        def fail(self):
            raise ValueError("no route\\nto host")

        def hand_over(self):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

        def fill(self):
            import resource
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
            print("nowhere to go")
            return "done"

        def die(self):
            os.kill(os.getpid(), 11)
            time.sleep(20)
"""

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")


def by(instance: Instance, execution: str) -> list[tuple[str, str]]:
    """Source and text of an execution's lines."""
    return [(line.source, line.text) for line in instance.lines if line.execution == execution]


def test_each_line_has_its_time_and_execution_however_it_was_written_l1(driver: Server) -> None:
    instance = driver.ready()
    instance.call("speak", text="hello")
    lines = instance.lines
    assert all(STAMP.fullmatch(line.time) for line in lines)
    assert sorted(line.time for line in lines) == [line.time for line in lines]
    assert [(line.source, line.text) for line in lines if line.execution == "e1"][:6] == [
        ("out", "hello"),
        ("err", "hello"),
        ("out", "hello"),
        ("err", "hello"),
        ("WARNING", "lib: hello"),
        ("WARNING", "hello"),
    ]
    assert any(text.endswith("UserWarning: hello") for _, text in by(instance, "e1")[6:])


def test_a_log_tells_the_whole_life_l1(driver: Server) -> None:
    instance = driver.start(about="shell 'Box' 1.0")
    instance.initialize()
    instance.call("speak", text="hello")
    instance.wire.send(do="stop", reason="idle for 600 s", limit=5)
    assert instance.gone == 0
    begun, *rest = [line for line in instance.lines if line.execution in ("-", "e0")]
    assert re.fullmatch(
        rf"shelldock: started: shell 'Box' 1.0, Python 3\S+, process {instance.pid}, forked",
        begun.text,
    )
    assert [(line.execution, line.text) for line in rest] == [
        ("e0", "initializing"),
        ("e0", "shelldock: initialized"),
        ("-", "shelldock: stopping: idle for 600 s"),
        ("-", "cleaning up: idle for 600 s"),
        ("-", "shelldock: stopped"),
    ]


def test_what_the_import_prints_is_in_the_log_of_who_imports_l1(serve: Serve) -> None:
    assert [line.text for line in serve(DRIVER, way="fresh").ready().lines][1] == "imported"


def test_a_failed_commands_trace_is_in_the_log_under_its_execution_r4(driver: Server) -> None:
    instance = driver.ready()
    assert instance.answer("fail")["is"] == "error"
    found = by(instance, "e1")
    assert found[0] == ("ERROR", "shelldock: fail raised")
    assert {source for source, _ in found} == {"ERROR"}
    assert [text for _, text in found[-2:]] == ["ValueError: no route", "to host"]


def test_lines_of_a_commands_threads_are_whole_and_its_own_l1(driver: Server) -> None:
    instance = driver.ready()
    instance.call("in_threads", text="abcdefgh")
    assert by(instance, "e1") == [("out", "abcdefgh")] * 5


def test_a_thread_that_outlived_its_command_is_not_taken_for_the_next_l1(driver: Server) -> None:
    instance = driver.ready()
    instance.call("stay")
    instance.call("let_it_write")
    assert by(instance, "e2") == []
    assert ("out", "from a thread that stayed") in by(instance, "-")


def test_concurrent_commands_lines_are_told_apart_l1(driver: Server) -> None:
    instance = driver.ready(concurrent=True)
    for text in ("left", "right"):
        instance.ask("together", {"text": text})
    assert {instance.wire.receive()["is"] for _ in range(2)} == {"result"}
    assert by(instance, "e1") == [("out", "left left")] * 50
    assert by(instance, "e2") == [("out", "right right")] * 50


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ("child", ["from a child"]),
        ("library", ["one", "two"]),
        ("alone", ["one", "two"]),
        ("part", ["no end"]),
    ],
)
def test_what_is_written_past_python_is_in_order_and_said_whose_it_is_r6(
    driver: Server, how: str, found: list[str]
) -> None:
    instance = driver.ready()
    instance.call("raw", how=how)
    instance.call("speak", text="next")  # Only now is it sure that the first has looked back.
    lines = instance.lines
    start = next(number for number, line in enumerate(lines) if line.text == "before")
    raw = lines[start + 1 : start + 1 + len(found)]
    assert [line.text for line in raw] == found
    assert {line.time for line in raw} == {""}
    size = sum(len(text) for text in found) + len(found) - (how == "part")
    told = lines[start + 1 + len(found)]
    assert (told.execution, told.source) == ("e1", "raw")
    assert told.text == f"{size} bytes above were written past Python"
    assert lines[start + 2 + len(found)].text == ("next" if how == "alone" else "after")


@pytest.mark.parametrize(
    ("flush", "found"),
    [
        ("", [("out", "half and half")]),
        ("1", [("out", "half and half")]),
        ("raw", [("raw", "4 bytes above were written past Python"), ("out", " and half")]),
    ],
)
def test_what_is_left_of_a_line_is_there_when_the_command_has_ended_l1(
    driver: Server, flush: str, found: list[tuple[str, str]]
) -> None:
    instance = driver.ready()
    instance.call("part", flush=flush)
    assert by(instance, "e1")[-len(found) :] == found


def files(instance: Instance) -> list[str]:
    return sorted(path.name for path in instance.log.parent.glob(f"{instance.log.name}*"))


def until(there: Callable[[], bool]) -> bool:
    """Whether it comes true in a while."""
    deadline = time.monotonic() + 15
    while not there() and time.monotonic() < deadline:
        time.sleep(0.01)
    return there()


def test_no_line_is_lost_when_a_log_is_continued_in_new_files_l1(driver: Server) -> None:
    instance = driver.ready(log_bytes=4000, log_keep=9)
    instance.call("count", lines="400")
    instance.call("speak", text="end")
    assert [text for _, text in by(instance, "e1")] == [f"line {n:06}" for n in range(400)]
    assert len(files(instance)) > 3
    assert all((instance.log.parent / name).stat().st_size < 4200 for name in files(instance))


def test_only_so_many_older_files_stay_l1(driver: Server) -> None:
    instance = driver.ready(log_bytes=2000, log_keep=2)
    instance.call("count", lines="1000")
    assert files(instance) == [
        instance.log.name,
        f"{instance.log.name}.1",
        f"{instance.log.name}.2",
    ]
    assert instance.lines[-1].text == "line 000999"


def test_a_log_that_only_a_child_writes_is_continued_when_the_command_ends_l1(
    driver: Server,
) -> None:
    instance = driver.ready(log_bytes=4000, log_keep=5)
    instance.call("count_in_child", lines="1000")
    assert until(lambda: len(files(instance)) == 2)
    instance.call("count_in_child", lines="1")
    assert instance.log.read_text().startswith("line 000000\n")


def test_a_child_that_stays_goes_on_in_the_file_it_has_l1(driver: Server) -> None:
    instance = driver.ready(log_bytes=4000, log_keep=9)
    instance.call("children_that_stay")
    instance.call("count", lines="100")
    instance.call("let_them_write")
    assert [line.text for line in instance.lines].count("late") == 1


def test_a_descriptor_that_the_driver_took_for_itself_stays_its_own_l1(driver: Server) -> None:
    instance = driver.ready(log_bytes=2000, log_keep=9)
    instance.call("hand_over")
    instance.call("count", lines="100")
    assert Path(f"/proc/{instance.pid}/fd/1").readlink() == Path(os.devnull)
    assert Path(f"/proc/{instance.pid}/fd/2").readlink() == instance.log


def test_a_full_disk_kills_no_command_l1(driver: Server) -> None:
    instance = driver.ready()
    assert instance.call("fill") == "done"
    assert instance.call("speak", text="still there") == ""


def test_a_process_that_the_driver_forked_writes_its_own_lines_only_l1(driver: Server) -> None:
    instance = driver.ready()
    instance.call("fork")
    texts = [text for source, text in by(instance, "e1") if source == "out"]
    assert texts == ["from the fork", "half a line of the parent"]


def test_a_crash_loses_nothing_that_was_written_r6(driver: Server) -> None:
    instance = driver.ready()
    instance.call("speak", text="last words")
    instance.ask("die")
    assert instance.gone == -signal.SIGSEGV
    assert "last words" in instance.output
    assert "Segmentation fault" in instance.output


@pytest.mark.parametrize("kind", ["FileHandler", "RotatingFileHandler", "WatchedFileHandler"])
def test_what_a_driver_logs_below_log_path_is_in_its_log_instead_l1(
    driver: Server, kind: str
) -> None:
    folder = driver.folder / "logs" / kind
    instance = driver.ready(environ={"LOG_PATH": str(folder)})
    instance.call("to_file", text="written", kind=kind)
    assert by(instance, "e1") == [("ERROR", "[ERROR] written"), ("ERROR", "[ERROR] written again")]
    assert [path.name for path in folder.iterdir() if path.stat().st_size] == []


def test_a_record_is_written_once_however_many_handlers_have_it_l1(driver: Server) -> None:
    instance = driver.ready(environ={"LOG_PATH": str(driver.folder / "logs" / "both")})
    instance.call("both", text="once")
    assert [text for _, text in by(instance, "e1")] == ["[ERROR] once", "[ERROR] once again"]


def test_the_level_changes_while_the_driver_runs_l1(driver: Server) -> None:
    instance = driver.ready()
    instance.call("log", level="DEBUG", text="one")
    instance.wire.send(do="level", level="DEBUG")
    instance.call("log", level="DEBUG", text="two")
    instance.wire.send(do="level", level="ERROR")
    instance.call("log", level="WARNING", text="three")
    assert [(line.source, line.text) for line in instance.lines if line.execution != "e0"][1:] == [
        ("INFO", "shelldock: log level DEBUG"),
        ("DEBUG", "lib: two"),
        ("INFO", "shelldock: log level ERROR"),
    ]


def stopping(lines: list[Line]) -> str:
    (reason,) = (line.text for line in lines if line.text.startswith("shelldock: stopping: "))
    return reason.removeprefix("shelldock: stopping: ")


def test_an_instance_whose_host_is_gone_says_so_r4(driver: Server) -> None:
    instance = driver.ready()
    instance.wire.close()
    assert instance.gone == 0
    assert stopping(instance.lines) == "cut off: the host is gone"
    assert "cleaning up: cut off: the host is gone" in instance.output


def test_an_instance_whose_fork_server_is_gone_says_so_r4(
    serve: Serve, dies: Callable[..., bool]
) -> None:
    server = serve(DRIVER)
    instance = server.ready()
    pid = instance.pid
    server.popen.kill()
    assert dies(pid)
    assert stopping(instance.lines) == "cut off: the fork server is gone"


def test_a_cleanup_that_takes_a_reason_is_given_it_beside_the_context_r4(serve: Serve) -> None:
    code = """
    class Driver:
        def cleanup(self, context, reason="none", other="own"):
            print([context, reason, other])
    """
    instance = serve(code).ready({"a": 1})
    instance.wire.send(do="stop", reason="updated", limit=5)
    assert instance.gone == 0
    assert json.loads(instance.output.replace("'", '"')) == [{"a": 1}, "updated", "own"]


def test_a_start_that_fails_leaves_its_trace_in_the_log_r4(serve: Serve) -> None:
    instance = serve("class Driver: pass\n1 / 0", way="fresh").start()
    assert instance.began["type"] == "ZeroDivisionError"
    assert instance.lines[-1].text == "ZeroDivisionError: division by zero"
    assert instance.lines[-1].source == "ERROR"
