"""``shelldock serve`` from the outside: a process of its own, driven over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tests.serving import Server
from tests.workshop import Workshop, clean_environ

from shelldock.client import Client
from shelldock.errors import LoginError, NotFoundError
from shelldock.paths import Paths


@pytest.fixture
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def done(answer: httpx.Response, status: int = 201) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def problem(answer: httpx.Response, status: int, code: str) -> str:
    """The detail of a problem, which has the form of RFC 9457."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], told["code"]) == (status, code)
    assert told["type"] == f"urn:shelldock:error:{code}"
    return str(told["detail"])


def run(client: httpx.Client, target: str, command: str, **more: Any) -> Any:
    return done(client.post("executions", json={"target": target, "command": command, **more}))


def until_running(client: httpx.Client, id: str) -> None:
    while done(client.get(f"executions/{id}"), 200)["state"] == "accepted":
        time.sleep(0.02)


WORK = {"label": "a", "seconds": "0"}


def test_a_command_runs_from_its_start_to_its_end_over_http(admin: httpx.Client) -> None:
    form = done(admin.get("commands", params={"target": "sw1"}), 200)
    (work,) = [one for one in form["commands"] if one["name"] == "work"]
    assert [one["name"] for one in work["parameters"]]
    accepted = run(admin, "sw1", "work", inputs=WORK)
    assert accepted["state"] == "accepted"
    ended = done(admin.get(f"executions/{accepted['id']}", params={"wait": 60}), 200)
    assert (ended["state"], ended["user"]) == ("completed", "admin")
    assert done(admin.get("executions", params={"state": "completed"}), 200)["items"] == [ended]
    (instance,) = done(admin.get("instances"), 200)["items"]
    assert instance["target"] == "sw1"
    assert done(admin.get("instances/" + instance["key"]), 200)["id"] == instance["id"]
    assert 'shelldock_executions_total{state="completed"} 1.0' in admin.get("metrics").text
    done(admin.post("instances/stop", json={"key": instance["key"]}), 200)
    assert done(admin.get("instances"), 200)["items"] == []


def test_a_request_that_is_repeated_with_its_key_runs_once(admin: httpx.Client) -> None:
    body = {"target": "sw1", "command": "work", "inputs": WORK, "wait": 60}
    first, again = [
        done(admin.post("executions", json=body, headers={"Idempotency-Key": "k1"}))
        for _ in range(2)
    ]
    assert first == again
    other = body | {"command": "pid", "inputs": {}}
    problem(
        admin.post("executions", json=other, headers={"Idempotency-Key": "k1"}), 409, "conflict"
    )
    assert len(done(admin.get("executions"), 200)["items"]) == 1


def test_roles_say_who_may_do_what_and_the_audit_says_who_did_d4_q7(
    server: Server, admin: httpx.Client
) -> None:
    for name in ("user", "observer"):
        done(admin.post("users", json={"name": name, "password": "12345678", "role": name}))
    with (
        server.client("user", "12345678") as user,
        server.client("observer", "12345678") as watcher,
    ):
        assert "administrators" in problem(
            user.post("executions", json={"target": "sw1", "command": "pid"}), 403, "denied"
        )
        own = run(user, "sw1", "work", inputs={"label": "a", "seconds": "60"})
        problem(user.post(f"executions/{own['id']}/terminate"), 403, "denied")
        problem(watcher.post(f"executions/{own['id']}/cancel", json={}), 403, "denied")
        problem(
            watcher.post("executions", json={"target": "sw1", "command": "work"}), 403, "denied"
        )
        assert done(watcher.get(f"executions/{own['id']}"), 200)["target"] == "sw1"
        for path in ("users", "audit"):
            problem(user.get(path), 403, "denied")
        assert [
            one["name"]
            for one in done(user.get("commands", params={"target": "sw1"}), 200)["commands"]
            if one["name"] == "pid"
        ] == []
        until_running(admin, own["id"])
        ended = done(admin.post(f"executions/{own['id']}/terminate"), 200)
        assert (ended["state"], ended["failure"]["code"]) == ("failed", "lost")
        done(user.patch("users/user", json={"password": "another one"}), 200)
        problem(user.get("me"), 401, "login")
    lines = done(admin.get("audit"), 200)["items"]
    assert ("user", "terminate execution", "denied") in {
        (one["user"], one["action"], one["outcome"]) for one in lines
    }
    assert ("admin", "terminate execution", "done") in {
        (one["user"], one["action"], one["outcome"]) for one in lines
    }
    assert "12345678" not in str(lines)


def test_nobody_gets_in_without_a_token_that_is_good(server: Server, admin: httpx.Client) -> None:
    for headers in ({}, {"Authorization": "Bearer sdk_guess"}, {"Authorization": "Basic YTpi"}):
        answer = httpx.get(f"{server.url}/api/me", headers=headers)
        problem(answer, 401, "login")
        assert answer.headers["www-authenticate"] == "Bearer"
    problem(
        httpx.post(f"{server.url}/api/login", json={"user": "admin", "password": "no"}),
        401,
        "login",
    )
    assert admin.post("logout").status_code == 204
    problem(admin.get("me"), 401, "login")
    assert httpx.get(f"{server.url}/api/health").json()["status"] == "ok"
    assert httpx.get(f"{server.url}/api/openapi.json").json()["openapi"] == "3.1.0"


def test_sandboxes_are_started_used_and_ended_by_their_owners(
    server: Server, admin: httpx.Client
) -> None:
    for name in ("eve", "adam"):
        done(admin.post("users", json={"name": name, "password": "12345678"}))
    lab = {
        "name": "lab",
        "resources": [{"name": "sw1"}],
        "apps": [{"name": "web", "shell": "box", "address": "10.0.0.9"}],
    }
    with server.client("eve", "12345678") as eve, server.client("adam", "12345678") as adam:
        sandbox = done(eve.post("sandboxes", json={"blueprint": lab, "duration": 3600}))["sandbox"]
        problem(adam.post("sandboxes", json={"blueprint": lab}), 409, "reserved")
        problem(
            adam.post("executions", json={"target": "sw1", "command": "work", "inputs": WORK}),
            409,
            "reserved",
        )
        problem(adam.post(f"sandboxes/{sandbox['id']}/end"), 403, "denied")
        body = {"target": "web", "command": "work", "inputs": WORK, "sandbox": sandbox["id"]}
        problem(adam.post("executions", json=body), 403, "denied")
        assert (
            run(eve, "web", "work", inputs=WORK, sandbox=sandbox["id"], wait=60)["state"]
            == "completed"
        )
        longer = done(eve.post(f"sandboxes/{sandbox['id']}/extend", json={"seconds": 7200}), 200)
        assert longer["ends"] > sandbox["ends"]
        assert [one["name"] for one in done(adam.get("sandboxes"), 200)["items"]] == ["lab"]
        for _ in range(2):
            assert done(eve.post(f"sandboxes/{sandbox['id']}/end"), 200)["state"] == "ended"
        problem(eve.post("executions", json=body), 409, "conflict")
        wrong = lab | {"apps": [{"name": "web", "shel": "box"}]}
        assert "apps[0]" in problem(eve.post("sandboxes", json={"blueprint": wrong}), 400, "input")


def test_secrets_are_in_no_answer_log_or_event(
    server: Server, admin: httpx.Client, workshop: Workshop
) -> None:
    run(admin, "sw1", "work", inputs=WORK, wait=60)
    told = admin.get("resources/sw1").text + admin.get("executions").text + server.log.read_text()
    token = admin.headers["authorization"].partition(" ")[2]
    assert token not in told
    assert "sw1" in told


BAD_REQUESTS = [
    ("POST", "executions", b"{", 400),
    ("POST", "executions", b'{"target": "sw1"}', 400),
    ("POST", "executions", b'{"target": "sw1", "command": "work", "wait": "1"}', 400),
    ("POST", "executions", b"[" * 100_000, 400),
    ("POST", "executions", b'{"target": "sw1", "command": "work", "colour": 1}', 400),
    ("POST", "executions", b'{"target": "sw9", "command": "work"}', 404),
    ("POST", "executions", b'{"target": "sw1", "command": "\xff"}', 400),
    ("POST", "executions", b"x" * (17 * 2**20), 413),
    ("POST", "shells", b"no zip at all", 400),
    ("GET", "executions?limit=-1", b"", 400),
    ("GET", "executions?state=odd", b"", 400),
    ("GET", "events?kinds=odd", b"", 400),
    ("GET", "nothing", b"", 404),
    ("PUT", "executions", b"", 405),
    ("GET", "resources/../../etc/passwd", b"", 404),
    ("DELETE", "sandboxes", b"", 405),
]
"""Method, path, body, and the status that answers them."""


def test_bad_requests_are_refused_as_problems(admin: httpx.Client) -> None:
    for method, path, body, status in BAD_REQUESTS:
        headers = {"Content-Type": "application/json"}
        answer = admin.request(method, path, content=body, headers=headers)
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
        assert (status == 405) == ("POST" in answer.headers.get("allow", ""))


def events(
    client: httpx.Client, wanted: int, last: str = "", **parameters: str
) -> list[dict[str, str]]:
    """The next events of a stream."""
    found: list[dict[str, str]] = []
    headers = {"Last-Event-ID": last} if last else {}
    with client.stream("GET", "events", params=parameters, headers=headers) as stream:
        event: dict[str, str] = {}
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if line and name:
                event[name] = value
            elif event:
                found.append(event)
                event = {}
            if len(found) == wanted:
                return found
    return found


def test_events_are_resumed_where_they_broke_off(server: Server, admin: httpx.Client) -> None:
    with ThreadPoolExecutor() as pool:
        heard = pool.submit(events, admin, 3, kinds="execution")
        while not heard.done():
            run(admin, "sw1", "work", inputs=WORK, wait=60)
    assert {one["event"] for one in heard.result()} == {"execution"}
    first = heard.result()[0]["id"]
    assert events(admin, 2, first, kinds="execution") == heard.result()[1:]
    assert events(admin, 1, "other-1")[0]["event"] == "reset"
    assert events(admin, 1, "what")[0]["event"] == "reset"


def test_slow_clients_hurt_nobody(server: Server, admin: httpx.Client) -> None:
    address = httpx.URL(server.url)
    slow = [socket.create_connection((address.host, address.port)) for _ in range(50)]
    for number, one in enumerate(slow):
        one.sendall(
            b"POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"[: 10 + number * 2]
        )
    assert run(admin, "sw1", "work", inputs=WORK, wait=60)["state"] == "completed"
    for one in slow:
        one.close()


def peers(server: Server) -> set[int]:
    """The ports of those who are connected to a server."""
    connections = psutil.Process(server.process.pid).net_connections("tcp")
    return {one.raddr.port for one in connections if one.status == psutil.CONN_ESTABLISHED}


def test_whoever_takes_no_events_is_hung_up_on_without_a_word_in_the_log(
    workshop_home: Path,
) -> None:
    server = Server(workshop_home, SHELLDOCK_PLUGINS__SERVER__PATIENCE="2")
    try:
        with server.client() as admin, socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((admin.base_url.host, admin.base_url.port))
            head = f"Host: a\r\nAuthorization: {admin.headers['Authorization']}\r\n\r\n"
            deaf.sendall(f"GET /api/events HTTP/1.1\r\n{head}".encode())
            port = deaf.getsockname()[1]
            while port not in peers(server):
                time.sleep(0.02)
            end = time.monotonic() + 60
            while port in peers(server):
                assert time.monotonic() < end
                run(admin, "sw1", "work", inputs=WORK | {"label": "x" * 50_000}, wait=60)
        assert "Exception" not in server.log.read_text()
    finally:
        server.kill()


def test_term_lets_what_runs_end_cancels_what_waits_and_leaves_no_process(
    server: Server, admin: httpx.Client
) -> None:
    runs = run(admin, "sw1", "work", inputs={"label": "a", "seconds": "3"})
    waits = run(admin, "sw1", "work", inputs={"label": "b", "seconds": "3"})
    until_running(admin, runs["id"])
    drivers = psutil.Process(server.process.pid).children(recursive=True)
    server.process.send_signal(signal.SIGTERM)
    while httpx.get(f"{server.url}/api/health").status_code != 503:
        time.sleep(0.02)
    body = {"target": "sw2", "command": "work", "inputs": WORK}
    problem(admin.post("executions", json=body), 503, "closing")
    assert server.process.wait(60) == 0
    assert not [one for one in drivers if one.is_running() and one.status() != "zombie"]
    again = Server(server.home)
    try:
        with httpx.Client(
            base_url=f"{again.url}/api/", headers=admin.headers, timeout=60
        ) as client:
            assert done(client.get(f"executions/{runs['id']}"), 200)["state"] == "completed"
            assert done(client.get(f"executions/{waits['id']}"), 200)["state"] == "cancelled"
        assert "first start" not in again.log.read_text()
    finally:
        again.kill()


def test_a_second_server_on_the_data_is_refused_and_told_who_has_them(server: Server) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "shelldock", "serve", "--port", "0"],
        env=clean_environ(server.home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    assert f"{server.process.pid}" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1


def test_settings_are_read_again_while_it_runs(server: Server, admin: httpx.Client) -> None:
    file = Paths.below(server.home).settings
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[limits]\ncommand = 0.3\ncancel_grace = 0.3\n")
    assert admin.post("reload").status_code == 204
    ended = run(admin, "sw1", "work", inputs={"label": "a", "seconds": "60"}, wait=60)
    assert ended["failure"]["facts"]["clock"] == "command"
    file.write_text("[limits]\ncommand = 'soon'\n")
    problem(admin.post("reload"), 400, "settings")
    file.write_text("[node]\nname = 'other'\n")
    assert "'node'" in problem(admin.post("reload"), 400, "settings")
    file.write_text("")
    os.kill(server.process.pid, signal.SIGHUP)
    server.said("(settings were read again)")
    ended = run(admin, "sw1", "work", inputs={"label": "a", "seconds": "0.5"}, wait=60)
    assert ended["state"] == "completed"


def test_it_speaks_tls(workshop_home: Path, tmp_path: Path) -> None:
    pem = tmp_path / "server.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            pem,
            "-out",
            tmp_path / "certificate.pem",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-days",
            "2",
        ],
        check=True,
        capture_output=True,
    )
    server = Server(
        workshop_home, "--certificate", str(tmp_path / "certificate.pem"), "--key", str(pem)
    )
    try:
        assert server.url.startswith("https://127.0.0.1")
        import ssl

        trust = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        assert httpx.get(f"{server.url}/api/health", verify=trust).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/api/health")
    finally:
        server.kill()


def test_many_clients_at_once_are_all_accounted_for_and_order_is_kept(
    server: Server, admin: httpx.Client, workshop: Workshop
) -> None:
    clients, each = 20, 10
    lock = threading.Lock()
    order: list[str] = []

    def work(number: int) -> list[str]:
        states = []
        for turn in range(each):
            target = "sw1" if turn % 3 == 0 else f"sw{number % 2 + 1}"
            body = {
                "target": target,
                "command": "work",
                "inputs": {"label": f"{number}-{turn}", "seconds": "0"},
            }
            with lock:
                accepted = done(admin.post("executions", json=body))
                order.append(accepted["id"])
            states.append(
                done(admin.get(f"executions/{accepted['id']}", params={"wait": 60}), 200)["state"]
            )
        return states

    with ThreadPoolExecutor(clients) as pool:
        states = [state for found in pool.map(work, range(clients)) for state in found]
    assert states == ["completed"] * (clients * each)
    known = done(admin.get("executions", params={"limit": 1000}), 200)["items"]
    assert sorted(one["id"] for one in known) == sorted(order)
    for target in ("sw1", "sw2"):
        started = {one["id"]: one["started"] for one in known if one["target"] == target}
        times = [started[one] for one in order if one in started]
        assert times == sorted(times)


def test_a_typed_client_runs_follows_and_cancels_commands(server: Server) -> None:
    with Client(server.url) as client:
        with pytest.raises(LoginError):
            client.me()
        assert client.login("admin", server.password).user == client.me()
        with client.events(["execution"]) as heard:
            assert client.execute("sw1", "pid").state == "completed"
            assert next(heard).kind == "execution"
        waits = client.submit("sw1", "linger", request_key="once")
        assert [one.id for one in client.executions(target="sw1")] == [waits.id]
        assert client.submit("sw1", "linger", request_key="once").id == waits.id
        with pytest.raises(TimeoutError):
            client.wait(waits.id, timeout=0.2)
        assert client.cancel(waits.id)
        assert client.wait(waits.id, timeout=60).state == "cancelled"
        assert not client.cancel(waits.id)
        assert client.history(target="sw1").executions[0].id == waits.id
        assert client.executions() == []
        assert [one.state for one in client.executions(ended=True, target="sw1")] == [
            "completed",
            "cancelled",
        ]
        assert [one.name for one in client.inventory.resources()] == ["sw1", "sw2"]
        with pytest.raises(NotFoundError, match="did you mean"):
            client.submit("sw3", "pid")
        client.logout()
        with pytest.raises(LoginError):
            client.me()


def test_a_typed_client_has_sandboxes(server: Server) -> None:
    with Client(server.url) as client:
        client.login("admin", server.password)
        wanted = {"name": "lab", "resources": [{"name": "sw1"}]}
        lab = client.start_blueprint(wanted, duration=600).sandbox.id
        assert client.execute("sw1", "pid", sandbox=lab).sandbox == lab
        assert [one.id for one in client.list_sandboxes()] == [lab]
        assert client.extend_sandbox(lab, None).ends is None
        assert client.sandbox_output(lab)
        assert client.end_sandbox(lab).state == "ended"
        assert client.end_sandbox(lab) == client.sandbox(lab).sandbox
        assert client.list_sandboxes() == []


def test_a_typed_client_keeps_the_inventory(server: Server) -> None:
    with Client(server.url) as client:
        client.login("admin", server.password)
        shell = client.catalog.shells()[0]
        made = client.inventory.create("a | b [1]", shell, "10.0.0.9")
        assert client.inventory.resource(made.name).address == "10.0.0.9"
        changed = client.inventory.set(made.name, description="spare")
        assert changed.description == "spare"
        assert client.remove(made.name) == [changed]
        with pytest.raises(NotFoundError):
            client.inventory.resource(made.name)
