"""Calls reach a real driver and what it does comes back, on every interpreter."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.system.shelldriver.conftest import Serve, Server

COMMANDS = {
    "save": [["configuration_type", "running"], ["folder_path", None]],
    "restore": [["saved_details", None]],
    "cleanup": [],
    "gone_missing": [],
}

DRIVER = """
    import json, os, socket, subprocess, sys, threading, time
    from typing import TYPE_CHECKING
    if TYPE_CHECKING:
        from nowhere import Nothing

    class Odd(Exception):
        def __str__(self):
            raise ValueError("no text")

    class Driver:
        def __init__(self):
            self.cleaned = 0

        def initialize(self, context):
            self.first = context

        def cleanup(self):
            self.cleaned += 1
            return "cleaned %d times" % self.cleaned

        def echo(self, context, text="none"):
            return text

        def save(self, context, folder_path, configuration_type, vrf="own"):
            return json.dumps([folder_path, configuration_type, vrf])

        def restore(self, context, saved_artifact_info):
            return saved_artifact_info

        def power(self, ports, context, delay=0):
            return ports

        def class_of(self, context):
            return [type(context).__name__, context.resource.name, context.resource.attributes,
                    context.resource.app_context.deployed_app_json, context.reservation, context.connectors]

        def give_context(self, context):
            return context

        def annotated(self, context: "Nothing", other: "also.Nothing" = "x"):
            return other

        def wait(self, cancellation_context):
            started = time.time()
            while not cancellation_context.is_cancelled and time.time() - started < 20:
                time.sleep(0.01)
            return "cancelled" if cancellation_context.is_cancelled else "not cancelled"

        def spin(self, context, cancellation_context):
            number = 0
            while not cancellation_context.is_cancelled:
                number += 1
            return "cancelled"

        def fail(self, how):
            if how == "several":
                raise Exception("Component", "text of it")
            if how == "exit":
                sys.exit("bye")
            if how == "interrupt":
                raise KeyboardInterrupt
            if how == "deep":
                return self.fail(how)
            if how == "odd":
                raise Odd()
            raise ValueError("it is \\u00fcber " + how)

        def thread(self, seconds):
            before = threading.get_ident()
            time.sleep(float(seconds))
            return [before == threading.get_ident(), threading.current_thread() is threading.main_thread()]

        def together(self):
            self.barrier.wait(15)
            return "met"

        def large(self, size):
            return "x" * int(size)

        def lone(self):
            return os.fsdecode(b"\\xff\\xfe") + "\\ud800 and \\U0001f600"

        def no_data(self):
            return {"session": [1, socket.socket()]}

        def circle(self):
            whole = {"parts": []}
            whole["parts"].append({"whole": whole})
            return whole

        def shout(self):
            os.write(1, b"\\xff\\xfe raw\\n")
            print("lone \\udc80 half")
            print("err \\u20ac", file=sys.stderr)
            print("no line end", end="")
            return "done"

        def flood(self, megabytes):
            line = "y" * 1023
            for _ in range(int(megabytes) * 1024):
                print(line)
            return "done"

        def close_low(self):
            os.closerange(0, 64)
            return "closed"

        def close_all(self):
            os.closerange(3, 4096)

        def branch(self):
            pid = os.fork()
            if not pid:
                return "from the child"
            return os.waitpid(pid, 0)[1]

        def read_stdin(self):
            return sys.stdin.read()

        def end(self, status):
            os._exit(int(status))

        def kill(self, number):
            os.kill(os.getpid(), int(number))
            time.sleep(10)

        def status_of_child(self):
            code = "import os, sys, time\\nif os.fork() == 0:\\n time.sleep(0.2)\\n os._exit(3)\\nsys.exit(5)"
            child = subprocess.Popen([sys.executable, "-c", code])
            time.sleep(0.6)
            return child.wait()

        def _hidden(self):
            return "hidden"
"""


def test_calls_are_made_by_name_with_defaults_of_metadata_and_signature_C3(driver: Server) -> None:
    instance = driver.ready()
    assert instance.call("echo") == "none"
    assert instance.call("echo", text="7") == "7"
    assert json.loads(instance.call("save", folder_path="ftp://x")) == ["ftp://x", "running", "own"]
    assert json.loads(instance.call("save", configuration_type="startup", vrf="")) == [
        "",
        "startup",
        "",
    ]
    assert instance.call("restore", saved_details="{}") == "{}"
    assert instance.call("restore", saved_artifact_info="[]") == "[]"


def test_ports_are_a_list_C4(driver: Server) -> None:
    instance = driver.ready()
    instance.ask("power", ports=["PDU/1", "PDU/2"])
    assert json.loads(instance.wire.receive()["text"]) == ["PDU/1", "PDU/2"]
    assert json.loads(instance.call("power")) == []


def test_annotations_are_never_evaluated_C6(driver: Server) -> None:
    assert driver.ready().call("annotated") == "x"


CONTEXT: dict[str, Any] = {
    "$class": "ResourceRemoteCommandContext",
    "connectivity": {
        "$class": "ConnectivityContext",
        "server_address": "127.0.0.9",
        "cloudshell_api_port": "8029",
    },
    "resource": {
        "$class": "ResourceContextDetails",
        "name": "sw1",
        "attributes": {"Model.User": "admin", "Model.Größe": "1"},
        "app_context": {"$class": "AppContext", "app_request_json": "", "deployed_app_json": "{}"},
    },
    "reservation": None,
    "connectors": [{"$class": "Connector", "source": "a"}],
}


def test_contexts_are_objects_of_the_named_classes_C7(driver: Server) -> None:
    instance = driver.ready(CONTEXT)
    instance.ask("class_of", context=CONTEXT)
    name, resource, attributes, app, reservation, connectors = json.loads(
        instance.wire.receive()["text"]
    )
    assert (name, resource, app, reservation) == ("ResourceRemoteCommandContext", "sw1", "{}", None)
    assert attributes == CONTEXT["resource"]["attributes"]
    assert connectors == [{"source": "a"}]


def test_the_context_itself_is_a_result_R2(driver: Server) -> None:
    instance = driver.ready()
    instance.ask("give_context", context=CONTEXT)
    given = json.loads(instance.wire.receive()["text"])
    assert given["resource"]["app_context"] == {"app_request_json": "", "deployed_app_json": "{}"}


@pytest.mark.parametrize(
    "name", ["pong", "_hidden", "__init__", "initialize", "gone_missing", "barrier"]
)
def test_what_is_no_command_is_refused_with_those_that_are_C1(driver: Server, name: str) -> None:
    instance = driver.ready()
    error = instance.answer(name)
    assert (error["kind"], "echo" in error["known"], "initialize" in error["known"]) == (
        "command",
        True,
        False,
    )
    assert repr(name) in error["text"]
    assert instance.call("echo") == "none"


def test_a_declared_cleanup_is_a_command_C1(driver: Server) -> None:
    instance = driver.ready()
    assert instance.call("cleanup") == "cleaned 1 times"


@pytest.mark.parametrize("name", ["nobody", "context", "cancellation_context"])
def test_unknown_inputs_are_refused_with_those_that_are_known_c3_c5(
    driver: Server, name: str
) -> None:
    error = driver.ready().answer("save", **{name: "x"})
    assert error["kind"] == "input"
    assert error["known"] == ["configuration_type", "folder_path", "vrf"]
    assert repr(name) in error["text"]


@pytest.mark.parametrize(
    ("how", "kind", "text"),
    [
        ("plainly", "ValueError", "it is über plainly"),
        ("several", "Exception", "Component: text of it"),
        ("exit", "SystemExit", "bye"),
        ("interrupt", "KeyboardInterrupt", ""),
        ("odd", "Odd", "(its text cannot be had: __str__ of Odd raises)"),
    ],
)
def test_an_exception_is_this_commands_failure_and_no_more_R3(
    driver: Server, how: str, kind: str, text: str
) -> None:
    instance = driver.ready()
    error = instance.answer("fail", how=how)
    assert (error["is"], error["kind"], error["type"], error["text"]) == (
        "error",
        "driver",
        kind,
        text,
    )
    assert "driver.py" in error["trace"]
    assert "shelldriver" not in error["trace"]
    assert instance.call("echo") == "none"


def test_endless_recursion_is_a_failure_R3(driver: Server) -> None:
    instance = driver.ready()
    assert instance.answer("fail", how="deep")["type"] == "RecursionError"
    assert instance.call("echo") == "none"


def test_a_result_of_50_MB_arrives_whole(driver: Server) -> None:
    assert len(driver.ready().call("large", size=str(50 * 2**20))) == 50 * 2**20


def test_a_larger_result_than_allowed_fails_with_both_sizes(driver: Server) -> None:
    instance = driver.ready(result_limit=1000)
    assert instance.call("large", size="1000") == "x" * 1000
    error = instance.answer("large", size="1001")
    assert (error["kind"], error["text"]) == (
        "result",
        "the result has 1001 bytes, 1000 are allowed",
    )


def test_lone_surrogates_still_make_valid_frames(driver: Server) -> None:
    assert driver.ready().call("lone") == "\ufffd\ufffd\ufffd and \U0001f600"


def test_what_is_no_data_fails_with_its_type_and_place_R1(driver: Server) -> None:
    instance = driver.ready()
    error = instance.answer("no_data")
    assert error["kind"] == "result"
    assert "result['session'][1] is a 'socket.socket'" in error["text"]
    error = instance.answer("circle")
    assert "result['parts'][0]['whole'] leads back to result" in error["text"]


def test_output_goes_to_the_log_whatever_its_characters_R6(driver: Server) -> None:
    instance = driver.ready()
    assert instance.call("shout") == "done"
    assert instance.call("read_stdin") == ""
    assert instance.stop()["error"] is None
    assert instance.gone == 0
    assert instance.output == "\ufffd\ufffd raw\nlone \\udc80 half\nerr €\nno line end\n"


def test_a_flood_of_output_blocks_nobody_R6(driver: Server) -> None:
    instance = driver.ready()
    assert instance.call("flood", megabytes="20") == "done"
    assert len(instance.output) == 20 * 2**20


def test_closing_low_descriptors_does_not_close_the_wire_R6(driver: Server) -> None:
    instance = driver.ready()
    assert instance.call("close_low") == "closed"
    assert instance.call("echo") == "none"


@pytest.mark.parametrize("command", ["wait", "spin"])
def test_cancel_reaches_a_busy_driver_Q5(driver: Server, command: str) -> None:
    instance = driver.ready()
    call = instance.ask(command)
    time.sleep(0.05)
    instance.wire.send(do="cancel", call=call)
    assert instance.wire.receive()["text"] == "cancelled"


def test_a_cancel_that_comes_before_the_command_runs_is_not_lost_Q5(driver: Server) -> None:
    instance = driver.ready()
    first, second = instance.ask("wait"), instance.ask("wait")
    instance.wire.send(do="cancel", call=second)
    instance.wire.send(do="cancel", call=first)
    instance.wire.send(do="cancel", call="nothing")
    assert [instance.wire.receive()["text"] for _ in "12"] == ["cancelled", "cancelled"]


def test_sequential_commands_run_in_turn_on_the_main_thread_Q1(driver: Server) -> None:
    instance = driver.ready()
    calls = [instance.ask("thread", {"seconds": "0"}) for _ in range(20)]
    answers = [instance.wire.receive() for _ in calls]
    assert [answer["call"] for answer in answers] == calls
    assert {answer["text"] for answer in answers} == {"[true, true]"}


def test_concurrent_commands_overlap_each_in_a_thread_of_its_own_Q2(serve: Serve) -> None:
    code = """
        import threading

        class Driver:
            def initialize(self, context):
                self.main = threading.current_thread() is threading.main_thread()
                self.barrier = threading.Barrier(20)

            def meet(self):
                before = threading.current_thread()
                self.barrier.wait(15)
                after = threading.current_thread()
                return [self.main, before is after, before is threading.main_thread()]

            def cleanup(self):
                print("main", threading.current_thread() is threading.main_thread())
    """
    instance = serve(code).ready(concurrent=True)
    calls = {instance.ask("meet") for _ in range(20)}
    answers = [instance.wire.receive() for _ in calls]
    assert {answer["call"] for answer in answers} == calls
    assert {answer["text"] for answer in answers} == {"[true, true, false]"}
    instance.stop()
    assert instance.gone == 0
    assert instance.output == "main True\n"


def test_large_results_of_concurrent_commands_do_not_mix(driver: Server) -> None:
    instance = driver.ready(concurrent=True)
    sizes = {instance.ask("large", {"size": str(size)}): size for size in range(10**6, 10**6 + 8)}
    for _ in range(8):
        answer = instance.wire.receive()
        assert len(answer["text"]) == sizes[answer["call"]]


def test_the_number_of_a_call_may_be_used_again_once_it_is_answered(driver: Server) -> None:
    instance = driver.ready()
    for number in range(500):
        instance.wire.send(
            do="call", call=1, command="echo", inputs={"text": str(number)}, ports=[], context=None
        )
        assert instance.wire.receive()["text"] == str(number)


def test_frames_may_come_in_pieces_and_in_heaps(driver: Server) -> None:
    instance = driver.ready()
    frames = b""
    for number in range(3):
        message = {
            "do": "call",
            "call": number,
            "command": "echo",
            "inputs": {"text": "é" * 9},
            "ports": [],
        }
        body = json.dumps({**message, "context": None}, ensure_ascii=False).encode()
        frames += struct.pack("!i", len(body)) + body
    for byte in frames[:150]:
        instance.wire.end.sendall(bytes([byte]))
    instance.wire.end.sendall(frames[150:])
    assert [instance.wire.receive() for _ in range(3)] == [
        {"is": "result", "call": number, "text": "é" * 9} for number in range(3)
    ]


@pytest.mark.parametrize(("command", "inputs", "status"), [
    ("end", {"status": "7"}, 7),
    ("kill", {"number": str(int(signal.SIGSEGV))}, -signal.SIGSEGV),
])  # fmt: skip
def test_an_end_inside_the_driver_is_told_with_its_status_I8(
    driver: Server, command: str, inputs: dict[str, str], status: int
) -> None:
    instance = driver.ready()
    instance.ask(command, inputs)
    assert instance.gone == status
    with pytest.raises(EOFError):
        instance.wire.receive()


def test_a_crash_leaves_its_trace_in_the_log_I8(driver: Server) -> None:
    instance = driver.ready()
    instance.ask("kill", {"number": str(int(signal.SIGSEGV))})
    assert instance.gone == -signal.SIGSEGV
    assert "driver.py" in instance.output


def test_the_status_of_a_drivers_own_child_is_not_stolen(driver: Server) -> None:
    assert driver.ready().call("status_of_child") == "5"


def test_a_child_that_comes_back_from_a_command_ends_and_is_no_instance(driver: Server) -> None:
    instance = driver.ready()
    assert instance.call("branch") == "0"
    assert instance.call("cleanup") == "cleaned 1 times"
    assert instance.call("echo") == "none"


def test_a_driver_that_closes_the_wire_has_no_host_any_more(driver: Server) -> None:
    instance = driver.ready()
    instance.ask("close_all")
    assert instance.gone == 0


def test_a_stray_interrupt_between_commands_hurts_nothing(driver: Server) -> None:
    instance = driver.ready()
    for _ in range(30):
        os.kill(instance.pid, signal.SIGINT)
        assert instance.call("echo") == "none"


def test_an_interrupt_in_a_command_is_its_failure(driver: Server) -> None:
    instance = driver.ready()
    error = instance.answer("kill", number=str(int(signal.SIGINT)))
    assert error["type"] == "KeyboardInterrupt"
    assert instance.call("echo") == "none"
