"""The command line as a client of a server: on the server's machine, and on another one."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import termios
import time
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.serving import Machine, Server
from tests.workshop import Workshop

BLUEPRINT = """\
name: Lab
duration: 2h
resources: [{name: sw1, shared: true}]
"""


@pytest.fixture
def here(server: Server) -> Machine:
    """The server's own machine, and user."""
    return Machine(server.home)


@pytest.fixture
def away(server: Server, tmp_path: Path) -> Machine:
    """Another machine, logged in."""
    machine = Machine(tmp_path / "away")
    machine(
        "login", server.url, "--user", "admin", "--password-stdin", stdin=f"{server.password}\n"
    )
    return machine


def until(happens: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def unread(pipe: int) -> int:
    """Bytes that a pipe holds."""
    held = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, held)
    return held[0]


def said(process: subprocess.Popen[str], text: str) -> None:
    """Wait for a line on standard error."""
    assert process.stderr
    heard = ""
    while text not in heard:
        line = process.stderr.readline()
        assert line, heard
        heard += line


def test_the_server_that_runs_here_is_used_and_named(server: Server, here: Machine) -> None:
    code, out, err = here.run("execute", "sw1", "work", "label=hello")
    assert (code, out) == (0, "hello\n")
    assert f"server: {server.url}" in err
    with server.client() as client:
        known = client.get("executions").json()["items"]
    assert [one["command"] for one in known] == ["work"]


def test_local_is_without_a_server(server: Server, here: Machine) -> None:
    code, out, err = here.run("--server", "local", "execute", "sw1", "work", "label=hello")
    assert (code, out) == (0, "hello\n")
    assert "server:" not in err
    with server.client() as client:
        assert client.get("executions").json()["items"] == []


def test_a_login_is_kept_for_its_user_only_and_ends(server: Server, away: Machine) -> None:
    (kept,) = away.home.glob("logins.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    token = json.loads(kept.read_text())["servers"][server.url]["token"]
    assert away("execute", "sw1", "work", "label=hello") == "hello\n"
    away("logout")
    assert token not in kept.read_text()
    stranger = Machine(away.home, SHELLDOCK_SERVER=server.url, SHELLDOCK_TOKEN=token)
    code, _, err = stranger.run("execute", "sw1", "pid")
    assert (code, "log in" in err) == (7, True)
    assert away.run("execute", "sw1", "pid")[0] == 3  # there is neither a server nor a resource
    assert away.run("logout")[0] == 3


def test_a_token_can_be_given_by_variable_or_saved(server: Server, tmp_path: Path) -> None:
    here = Machine(server.home)
    secret = here.json("token", "create", "admin")["secret"]
    program = Machine(tmp_path / "ci", SHELLDOCK_SERVER=server.url, SHELLDOCK_TOKEN=secret)
    assert program("execute", "sw1", "work", "label=hello") == "hello\n"
    other = Machine(tmp_path / "other")
    other("login", server.url, "--token-stdin", stdin=secret)
    assert other("execute", "sw1", "work", "label=hello") == "hello\n"


def test_a_wrong_password_changes_nothing(server: Server, away: Machine) -> None:
    code, _, err = away.run(
        "login", server.url, "--user", "admin", "--password-stdin", stdin="wrong password\n"
    )
    assert (code, "password is wrong" in err) == (7, True)
    assert away("execute", "sw1", "work", "label=hello") == "hello\n"


def test_output_is_live_and_an_interrupt_cancels(server: Server, away: Machine) -> None:
    with away.start("execute", "sw1", "linger") as process:
        said(process, "lingering")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cancelling" in err
    (one,) = away.json("executions", "--all")
    assert (one["state"], one["user"], one["messages"]) == ("cancelled", "admin", ["lingering"])


def test_an_interrupt_in_the_middle_of_a_line_cancels(server: Server, away: Machine) -> None:
    away.environ["PYTHONUNBUFFERED"] = ""  # as it is for people
    with away.start("execute", "sw1", "linger", f"text={'x' * 100_000}") as process:
        assert process.stderr
        pipe = process.stderr.fileno()
        until(lambda: unread(pipe) > 60_000)  # the line does not fit, and nobody reads it
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cancelling" in err
    assert "x" * 100_000 in err
    (one,) = away.json("executions", "--all")
    assert one["state"] == "cancelled"


def test_a_second_interrupt_leaves_it_to_the_server_and_attach_finds_it(
    server: Server, away: Machine
) -> None:
    with away.start("execute", "sw1", "work", "label=late", "seconds=8") as process:
        until(lambda: [one["state"] for one in away.json("executions")] == ["running"])
        process.send_signal(signal.SIGINT)  # "work" does not look whether it is cancelled
        said(process, "cancelling")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    (one,) = away.json("executions", "--all")
    assert f"shelldock attach {one['id']}" in err
    code, _, err = away.run("attach", one["id"])
    assert (code, "cancelled" in err) == (1, True)


def test_attach_repeats_what_was_said_and_prints_what_is_returned(
    server: Server, away: Machine
) -> None:
    with away.start("execute", "sw1", "linger") as first:
        said(first, "lingering")
        (one,) = away.json("executions")
        with away.start("attach", one["id"]) as second:
            said(second, "lingering")
            away("cancel", one["id"])
            for process in (first, second):
                process.communicate(timeout=60)
                assert process.returncode == 1


def test_instances_queue_and_history_of_a_server(server: Server, away: Machine) -> None:
    with away.start("execute", "sw1", "linger") as first:
        said(first, "lingering")
        with away.start("execute", "sw1", "work", "label=next") as second:
            until(lambda: away.json("queue"))
            assert [one["target"] for one in away.json("ps")] == ["sw1"]
            assert {one["command"] for one in away.json("executions")} == {"linger", "work"}
            assert away("ps")
            assert away("queue")
            seen = away.json("top")
            assert [one["command"] for one in seen["running"]] == ["linger"]
            assert [one["command"] for one in seen["waiting"]] == ["work"]
            assert "1 commands run, 1 wait" in away("top", "--once")
            shown = away.json("instance", "show", "sw1")
            assert {one["command"] for one in shown["executions"]} == {"linger", "work"}
            assert away.json("instance", "cancel-all", "sw1", "--yes") == {"cancelled": 2}
            for process in (first, second):
                process.communicate(timeout=60)
                assert process.returncode == 1
    away("instance", "log-level", "sw1", "debug")
    away("instance", "stop", "sw1")
    assert away.json("ps") == []
    assert away.json("executions") == []
    assert away.json("executions", "--all", "--limit", "1")[0]["command"] == "work"
    assert away.json("executions", "--all", "--target", "sw2") == []
    (one,) = away.json("executions", "--all", "--command", "linger")
    assert one["id"] in away("logs", "--execution", one["id"])
    assert away.run("logs", "sw1")[0] == 2


def test_the_inventory_of_a_server(server: Server, away: Machine) -> None:
    away("resource", "add", "sw3", "--shell", "box", "--address", "10.0.0.3")
    assert [one["name"] for one in away.json("resource", "list")] == ["sw1", "sw2", "sw3"]
    away("resource", "set", "sw3", "--exclude")
    code, _, err = away.run("execute", "sw3", "pid")
    assert (code, "excluded" in err) == (2, True)
    assert "10.0.0.3" in away("resource", "show", "sw3")
    assert [one["name"] for one in away.json("resource", "remove", "sw3")] == ["sw3"]
    code, _, err = away.run("resource", "show", "sw3")
    assert (code, "did you mean" in err) == (3, True)


def test_the_shells_of_a_server(server: Server, away: Machine, tmp_path: Path) -> None:
    assert [one["name"] for one in away.json("shell", "list")["shells"]] == ["box"]
    shell = Workshop(tmp_path).shell("rack").rename(tmp_path / "Rack (2)")
    (shell / "src" / "__pycache__").mkdir()
    (shell / "src" / "__pycache__" / "driver.pyc").write_bytes(b"\0")
    assert away.json("shell", "add", shell)["name"] == "rack"
    (rack,) = [one for one in away.json("shell", "list")["shells"] if one["name"] == "rack"]
    assert rack["origin"] == "Rack _2_.zip, sent by admin (added)"
    assert "python" in away("shell", "show", "rack").casefold()
    away("resource", "add", "rack1", "--shell", "rack")
    for spelt in ("rack", "RACK"):
        code, _, err = away.run("shell", "remove", spelt)
        assert (code, "in use by 'rack1'" in err) == (2, True)
    away("shell", "remove", "rack", "--force")
    code, _, err = away.run("shell", "show", "rack")
    assert (code, "did you mean" in err or "shell list" in err) == (3, True)
    assert isinstance(away.json("env", "list"), list)
    assert {one["name"] for one in away.json("plugins")} >= {"scope", "server"}


def test_the_users_of_a_server_and_what_they_did(server: Server, away: Machine) -> None:
    away("user", "add", "eve", "--role", "observer", "--password-stdin", stdin="correct horse\n")
    assert [one["name"] for one in away.json("user", "list")] == ["admin", "eve"]
    secret = away("token", "create", "eve", "--name", "script", "--lifetime", "1h").strip()
    (token,) = away.json("token", "list", "eve")
    assert (token["name"], token["expires"] is not None) == ("script", True)
    eve = Machine(server.home.parent / "eve", SHELLDOCK_SERVER=server.url, SHELLDOCK_TOKEN=secret)
    assert eve.json("user", "show", "eve")["role"] == "observer"
    for denied in (
        ("user", "list"),
        ("user", "show", "admin"),
        ("token", "create", "admin"),
        ("audit",),
    ):
        assert eve.run(*denied)[0] == 7
    assert [one["user"] for one in eve.json("token", "list")] == ["eve"]
    away("user", "change", "eve", "--role", "user")
    assert eve.json("user", "show", "eve")["role"] == "user"
    away("token", "revoke", token["id"])
    assert eve.run("user", "show", "eve")[0] == 7
    away("user", "remove", "eve")
    did = [one["action"] for one in away.json("audit", "--user", "admin", "--limit", "4")]
    assert did == ["remove user", "revoke token", "change user", "add token"]
    assert away.json("audit", "--user", "eve")[0]["outcome"] == "denied"


def test_sandboxes(server: Server, away: Machine, tmp_path: Path) -> None:
    blueprint = tmp_path / "lab.yaml"
    blueprint.write_text(BLUEPRINT)
    sandbox = away("sandbox", "start", blueprint, "--name", "mine").strip()
    away("sandbox", "start", blueprint, "--duration", "1h")
    assert [one["name"] for one in away.json("sandbox", "list")] == ["mine", "Lab"]
    assert "sw1" in away("sandbox", "show", "mine")
    assert away("execute", "sw1", "work", "label=hello", "--sandbox", "mine") == "hello\n"
    assert "hello" in away("sandbox", "output", sandbox)
    before = away.json("sandbox", "show", sandbox)["sandbox"]["ends"]
    assert away.json("sandbox", "extend", "mine", "30m")["ends"] == before + 1800
    assert away.json("sandbox", "extend", "mine", "forever")["ends"] is None
    assert away.run("sandbox", "extend", "mine", "1h")[0] == 2
    assert away.json("sandbox", "end", "mine")["state"] == "ended"
    assert away.json("sandbox", "end", sandbox)["reason"] == "ended by admin"
    assert [one["name"] for one in away.json("sandbox", "list")] == ["Lab"]
    assert len(away.json("sandbox", "list", "--all")) == 2
    code, _, err = away.run("sandbox", "show", "Lap")
    assert (code, "did you mean 'Lab'" in err) == (3, True)


def test_what_needs_a_server_says_so(tmp_path: Path) -> None:
    blueprint = tmp_path / "lab.yaml"
    blueprint.write_text(BLUEPRINT)
    alone = Machine(tmp_path / "alone")
    for arguments in (("sandbox", "list"), ("sandbox", "start", blueprint), ("attach", "e1")):
        code, _, err = alone.run(*arguments)
        assert (code, "start one with 'shelldock serve'" in err) == (2, True)


def test_what_asks_no_server_refuses_to_be_told_one(server: Server, here: Machine) -> None:
    for arguments in (
        ("env", "prune"),
        ("shell", "check", "box"),
        ("run", "box", "pid"),
        ("backup", "b"),
    ):
        code, _, err = here.run("--server", server.url, *arguments)
        assert (code, "asks no server" in err) == (2, True)
    code, _, err = here.run("execute", "sw1", "pid", "--python", "3.11")
    assert (code, "--server local" in err) == (2, True)


def test_a_server_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    alone = Machine(tmp_path / "alone")
    code, _, err = alone.run("--server", "http://127.0.0.1:1", "ps")
    assert code == 3
    assert "shelldock: cannot reach the server 'http://127.0.0.1:1'" in err
    assert "Traceback" not in err
    assert alone.run("--server", "nonsense", "ps")[0] == 3


def test_a_command_is_followed_through_a_restart_of_the_server(
    server: Server, away: Machine
) -> None:
    port = server.url.rpartition(":")[2]
    with away.start("execute", "sw1", "linger") as process:
        said(process, "lingering")
        server.kill()
        again = Server(server.home, "--port", port)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            again.kill()
    assert process.returncode == 1
    assert "interrupted" in err
