"""A server of Shelldock as programs elsewhere see it: the methods of ``Host``, over HTTP."""

from __future__ import annotations

import ssl
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from shelldock.blueprints import Blueprint
from shelldock.errors import Fact, ShelldockError, UnreachableError, revive
from shelldock.inputs import Inputs
from shelldock.model import (
    Execution,
    ExecutionState,
    History,
    Instance,
    Message,
    Resource,
    Sandbox,
    SandboxDetails,
    User,
    Value,
    Waiting,
)

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

ATTEMPTS: Final = 3
"""How often in a row something is asked that may be asked twice."""

PAUSE: Final = 0.5
"""Seconds between two of them."""

ANSWER: Final = 60.0
"""Seconds that a server has for an answer, beside what it was asked to wait."""

POLL: Final = 30.0
"""Seconds that a server is asked to wait for the end of an execution, at most."""

LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class Event(Value, frozen=True, kw_only=True):
    """Something that happened on the server; ``reset``: some was missed, so ask how things are."""

    id: str = ""
    kind: str
    data: dict[str, Any]


class Login(Value, frozen=True, kw_only=True):
    """What a login gives: a secret to show from now on, and whose it is."""

    token: str
    user: User
    expires: float | None = None
    """Unix time."""


class _Problem(Value, frozen=True, kw_only=True):
    code: str
    detail: str
    facts: dict[str, Fact] = msgspec.field(default_factory=dict)


class _Cancelled(Value, frozen=True, kw_only=True):
    cancelled: int


class _Page(Value, frozen=True, kw_only=True):
    items: list[msgspec.Raw]
    next: str = ""


class Client:
    """Asks a server. Any thread may use it; close it, or use it as a context manager.

    Every method raises what the server raised, and ``UnreachableError`` where there is no answer.

    :param url: ``http://host:8160``.
    :param token: the secret of a token; ``login`` gives one.
    :param certificate: a PEM file with the certificate to trust for ``https``; empty: the system's.
    """

    def __init__(self, url: str, token: str = "", certificate: str = "") -> None:
        import httpx  # takes a tenth of a second that most command lines have no use for

        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnreachableError(url, "expected a URL such as http://host:8160")
        self._http = httpx.Client(
            base_url=f"{self.url}/api/",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            verify=_trust(self.url, certificate),
            timeout=httpx.Timeout(ANSWER, connect=10.0),
            trust_env=parts.hostname not in LOCAL,  # no proxy leads back to this machine
        )

    def __enter__(self) -> Self:
        """Nothing is asked before the first method is called."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def login(
        self, user: str, password: str, *, name: str = "", lifetime: float | None = None
    ) -> Login:
        """Log in, and show the new token from now on.

        :param lifetime: of the token, in seconds; None: until it is revoked.
        """
        asked = {"user": user, "password": password, "name": name, "lifetime": lifetime}
        login = self._ask(Login, "POST", "login", _set(asked))
        self._http.headers["Authorization"] = f"Bearer {login.token}"
        return login

    def logout(self) -> None:
        """Revoke the token in use."""
        self._send("POST", "logout")
        self._http.headers.pop("Authorization", None)

    def me(self) -> User:
        """Whose token is in use."""
        return self._ask(User, "GET", "me")

    def execute(
        self,
        target: str,
        command: str,
        inputs: Inputs | None = None,
        *,
        sandbox: str = "",
        ports: Sequence[str] = (),
        limit: float | None = None,
        pending: float | None = None,
    ) -> Execution:
        """Run a command to its end."""
        execution = self.submit(
            target, command, inputs, sandbox=sandbox, ports=ports, limit=limit, pending=pending
        )
        return self.wait(execution.id)

    def submit(
        self,
        target: str,
        command: str,
        inputs: Inputs | None = None,
        *,
        sandbox: str = "",
        ports: Sequence[str] = (),
        limit: float | None = None,
        pending: float | None = None,
        request_key: str = "",
    ) -> Execution:
        """Have a command run; ``wait`` for its end.

        :param request_key: the same one gives the same execution again, so a lost answer is asked for again; empty: a
            new one.
        """
        asked = {
            "target": target,
            "command": command,
            "inputs": inputs if inputs is not None else {},
            "sandbox": sandbox or None,
            "ports": list(ports) or None,
            "limit": limit,
            "pending": pending,
        }
        key = request_key or uuid.uuid4().hex
        headers = {"Idempotency-Key": key}
        return self._ask(Execution, "POST", "executions", _set(asked), headers=headers, again=True)

    def execution(self, id: str, *, wait: float = 0.0) -> Execution:
        """The execution with this id as it is now, or as soon as it has ended within ``wait`` seconds."""
        query = {"wait": wait} if wait else {}
        return self._ask(Execution, "GET", f"executions/{quote(id, safe='')}", query=query)

    def wait(self, execution: str, timeout: float | None = None) -> Execution:
        """The execution with this id when it has ended. Raises ``TimeoutError`` after ``timeout`` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = POLL if end is None else min(POLL, end - time.monotonic())
            found = self.execution(execution, wait=max(left, 0.0))
            if found.state not in ("accepted", "running"):
                return found
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(f"execution {execution!r} has not ended after {timeout:g} s")

    def history(
        self,
        *,
        state: ExecutionState | None = None,
        target: str | None = None,
        sandbox: str | None = None,
        user: str | None = None,
        command: str | None = None,
        before: str = "",
        limit: int = 100,
    ) -> History:
        """A page of the executions that there were, newest first; ``before`` is the ``next`` of the page before."""
        query = {"state": state, "target": target, "sandbox": sandbox, "user": user}
        query |= {"command": command, "after": before or None}
        page = self._ask(_Page, "GET", "executions", query={**query, "limit": limit})
        return History(
            executions=[self._read(one, Execution) for one in page.items], next=page.next
        )

    def cancel(self, execution: str, *, force: bool = False) -> bool:
        """Cancel an execution; False if it has ended already."""
        place = f"executions/{quote(execution, safe='')}/cancel"
        return bool(self._ask(_Cancelled, "POST", place, {"force": force}).cancelled)

    def instances(self) -> list[Instance]:
        """Every live instance."""
        return self._all(Instance, "instances")

    def queue(self) -> list[Waiting]:
        """Every command that was accepted and does not run yet, and why."""
        return self._all(Waiting, "queue")

    def stop(self, key: str, reason: str = "asked to stop") -> None:
        """Stop the instance for a scope, with its ``cleanup``."""
        self._send("POST", "instances/stop", {"key": key, "reason": reason})

    def terminate(self, key: str, reason: str = "terminated") -> None:
        """End the instance for a scope at once."""
        self._send("POST", "instances/terminate", {"key": key, "reason": reason})

    def reset(self, key: str, reason: str = "reset") -> None:
        """Cancel all that runs on, or waits for, the instance for a scope, and stop it."""
        self._send("POST", "instances/reset", {"key": key, "reason": reason})

    def retry(self, key: str) -> None:
        """Let a driver that failed to start again and again be tried at once, with the next command."""
        self._send("POST", "instances/retry", {"key": key})

    def cancel_all(self, key: str, reason: str = "asked to cancel all") -> int:
        """Cancel all that runs on, or waits for, the instance for a scope, which stays. How many that were."""
        asked = {"key": key, "reason": reason}
        return self._ask(_Cancelled, "POST", "instances/cancel-all", asked).cancelled

    def set_log_level(self, key: str, level: str) -> None:
        """Let the running instance for a scope log from ``level`` on."""
        self._send("POST", "instances/log-level", {"key": key, "level": level})

    def resources(self) -> list[Resource]:
        """The resources of the inventory."""
        return self._all(Resource, "resources")

    def discover(self, name: str) -> Resource:
        """Let the driver of a resource find its sub-resources, and keep them; waits for as long as that takes."""
        return self._ask(Resource, "POST", "discoveries", {"resource": name}, patient=True)

    def remove(self, name: str) -> None:
        """Remove a resource and all below it."""
        self._send("DELETE", f"resources/{quote(name)}")

    def start_blueprint(
        self,
        blueprint: Blueprint | Mapping[str, object],
        *,
        name: str = "",
        duration: float | None = None,
    ) -> SandboxDetails:
        """Start a sandbox with all that a blueprint names.

        :param duration: in seconds; None: as the blueprint says.
        """
        asked = {"blueprint": blueprint, "name": name or None, "duration": duration}
        return self._ask(SandboxDetails, "POST", "sandboxes", _set(asked), patient=True)

    def extend_sandbox(self, id: str, ends: float | None) -> Sandbox:
        """Let a sandbox end at another time (Unix time); None: when somebody ends it."""
        return self._ask(
            Sandbox, "POST", f"sandboxes/{quote(id, safe='')}/extend", {"ends": ends}, again=True
        )

    def end_sandbox(self, id: str) -> Sandbox:
        """End a sandbox: its commands are cancelled, the instances of its apps and services stop."""
        place = f"sandboxes/{quote(id, safe='')}/end"
        return self._ask(Sandbox, "POST", place, again=True, patient=True)

    def sandbox(self, id: str) -> SandboxDetails:
        """A sandbox and what is in it, also when it has ended."""
        return self._ask(SandboxDetails, "GET", f"sandboxes/{quote(id, safe='')}")

    def list_sandboxes(self, *, ended: bool = False, owner: str | None = None) -> list[Sandbox]:
        """The sandboxes that have not ended, or all of them; of one owner, or of everybody."""
        return self._all(Sandbox, "sandboxes", {"ended": str(ended).lower(), "owner": owner})

    def sandbox_output(self, id: str) -> list[Message]:
        """What commands returned and drivers wrote in a sandbox, also when it has ended."""
        return self._all(Message, f"sandboxes/{quote(id, safe='')}/output")

    def events(
        self, kinds: Sequence[str] = (), *, execution: str = "", sandbox: str = "", after: str = ""
    ) -> Iterator[Event]:
        """What happens from now on, without end; goes on where it was when the connection breaks.

        :param kinds: ``execution``, ``output``, ``instance``, ``environment``, ``sandbox``; none: all.
        :param after: the id of the last event that is known.
        """
        query = {"kinds": ",".join(kinds), "execution": execution, "sandbox": sandbox}
        failed = 0
        while True:
            try:
                for event in self._listen(_set(query), after):
                    after, failed = event.id or after, 0
                    yield event
            except UnreachableError:
                failed += 1
                if failed == ATTEMPTS:
                    raise
            time.sleep(PAUSE)

    def _listen(self, query: Mapping[str, Any], after: str) -> Iterator[Event]:
        import httpx

        headers = {"Last-Event-ID": after} if after else {}
        try:
            with self._http.stream(
                "GET", "events", params=query, headers=headers, timeout=httpx.Timeout(10, read=None)
            ) as answer:
                if answer.is_error:
                    answer.read()
                    raise self._error(answer)
                yield from read_events(answer.iter_lines())
        except (httpx.TransportError, msgspec.DecodeError) as error:
            raise UnreachableError(self.url, str(error) or type(error).__name__) from error

    def _all(
        self, type: type[T], place: str, query: Mapping[str, object | None] | None = None
    ) -> list[T]:
        found: list[T] = []
        after: str | None = None
        while after != "":
            page = self._ask(_Page, "GET", place, query={**(query or {}), "after": after})
            found += [self._read(one, type) for one in page.items]
            after = page.next
        return found

    def _ask(self, type: type[T], method: str, place: str, body: object = None, **how: Any) -> T:
        return self._read(self._send(method, place, body, **how).content, type)

    def _send(
        self,
        method: str,
        place: str,
        body: object = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
        patient: bool = False,
    ) -> httpx.Response:
        """The answer, which is no error; asked for again where ``again``, or for what changes nothing."""
        import httpx

        wait = (query or {}).get("wait") or 0.0
        request = self._http.build_request(
            method,
            place,
            params=_set(query or {}),
            headers={"Content-Type": "application/json", **(headers or {})} if body else headers,
            content=msgspec.json.encode(body) if body is not None else None,
            timeout=httpx.Timeout(10, read=None if patient else ANSWER + wait),
        )
        left = ATTEMPTS if again or method == "GET" else 1
        while True:
            try:
                answer = self._http.send(request)
                break
            except httpx.TransportError as error:
                left -= 1
                if not left:
                    raise UnreachableError(self.url, str(error) or type(error).__name__) from error
                time.sleep(PAUSE)
        if not answer.is_success:
            raise self._error(answer)
        return answer

    def _read(self, data: bytes | msgspec.Raw, type: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=type)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreachableError(
                self.url, f"it does not answer as this version does: {error}"
            ) from error

    def _error(self, answer: httpx.Response) -> ShelldockError:
        try:
            problem = msgspec.json.decode(answer.content, type=_Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = f"it answered {answer.status_code}, not as a Shelldock server does"
            return UnreachableError(self.url, said)
        return revive(problem.code, problem.detail, problem.facts)


def read_events(lines: Iterator[str]) -> Iterator[Event]:
    """The events of a ``text/event-stream``; comments are left out (HTML standard, 9.2.6)."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if line and name:
            value = value.removeprefix(" ")
            more = name == "data" and name in fields
            fields[name] = f"{fields[name]}\n{value}" if more else value
        elif not line and fields:
            if "data" in fields:
                yield Event(
                    id=fields.get("id", ""),
                    kind=fields.get("event", "message"),
                    data=msgspec.json.decode(fields["data"] or "{}", type=dict[str, Any]),
                )
            fields = {}


def _set(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _trust(url: str, certificate: str) -> ssl.SSLContext | bool:
    if not certificate:
        return True
    try:
        return ssl.create_default_context(cafile=certificate)
    except OSError as error:
        raise UnreachableError(url, f"cannot read certificate {certificate!r}: {error}") from error
