"""A server of Shelldock as programs elsewhere see it: the methods of ``Host``, over HTTP."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Final, Self, Unpack
from urllib.parse import quote

from shelldock.blueprints import Blueprint
from shelldock.elsewhere import (
    RemoteAudit,
    RemoteCatalog,
    RemoteConnections,
    RemoteInventory,
    RemoteUsers,
)
from shelldock.inputs import Inputs
from shelldock.logs import level_name
from shelldock.model import (
    Environment,
    Execution,
    ExecutionState,
    History,
    Instance,
    Message,
    Node,
    Resource,
    Sandbox,
    SandboxDetails,
    Shell,
    User,
    Value,
    Waiting,
    Wanted,
)
from shelldock.plugins import Plugin
from shelldock.rest import Event, Events, Page, Rest, given

__all__ = ["Client", "Event", "Events", "Login"]

POLL: Final = 30.0
"""Seconds that a server is asked to wait for the end of an execution, at most."""


class Login(Value, frozen=True, kw_only=True):
    """What a login gives: a secret to show from now on, and whose it is."""

    token: str
    user: User
    expires: float | None = None
    """Unix time."""


class _Cancelled(Value, frozen=True, kw_only=True):
    cancelled: bool


class _HowMany(Value, frozen=True, kw_only=True):
    cancelled: int


class Client:
    """Asks a server. Any thread may use it; close it, or use it as a context manager.

    Every method raises what the server raised, and ``UnreachableError`` where there is no answer.

    :param url: ``http://host:8160``.
    :param token: the secret of a token; ``login`` gives one.
    :param certificate: a PEM file with the certificate to trust for ``https``; empty: the system's.
    """

    def __init__(self, url: str, token: str = "", certificate: str = "") -> None:
        self._rest = Rest(url, token, certificate)
        self.url = self._rest.url
        self.inventory = RemoteInventory(self._rest)
        self.catalog = RemoteCatalog(self._rest)
        self.users = RemoteUsers(self._rest)
        self.audit = RemoteAudit(self._rest)
        self.connections = RemoteConnections(self._rest)

    def __enter__(self) -> Self:
        """Nothing is asked before the first method is called."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._rest.close()

    def login(
        self, user: str, password: str, *, name: str = "", lifetime: float | None = None
    ) -> Login:
        """Log in, and show the new token from now on.

        :param lifetime: of the token, in seconds; None: until it is revoked.
        """
        asked = {"user": user, "password": password, "name": name, "lifetime": lifetime}
        login = self._rest.ask(Login, "POST", "login", given(asked))
        self._rest.show(login.token)
        return login

    def logout(self) -> None:
        """Revoke the token in use."""
        self._rest.send("POST", "logout")
        self._rest.show("")

    def me(self) -> User:
        """Whose token is in use."""
        return self._rest.ask(User, "GET", "me")

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
        return self._rest.ask(
            Execution, "POST", "executions", given(asked), headers=headers, again=True
        )

    def execution(self, id: str, *, wait: float = 0.0) -> Execution:
        """The execution with this id as it is now, or as soon as it has ended within ``wait`` seconds."""
        query = {"wait": wait} if wait else {}
        return self._rest.ask(Execution, "GET", f"executions/{quote(id, safe='')}", query=query)

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
        page = self._rest.ask(Page, "GET", "executions", query={**query, "limit": limit})
        return History(
            executions=[self._rest.read(one, Execution) for one in page.items], next=page.next
        )

    def executions(
        self, *, ended: bool = False, limit: int = 100, **wanted: Unpack[Wanted]
    ) -> list[Execution]:
        """The executions that wait or run, oldest first; with ``ended`` the newest ``limit`` of all that there were."""
        if ended:
            return self.history(limit=limit, **wanted).executions[::-1]
        live = [
            one
            for state in ("accepted", "running")
            for one in self._rest.all(Execution, "executions", {"state": state, **wanted})
        ]
        return sorted({one.id: one for one in live}.values(), key=lambda one: one.accepted)

    def execution_log(self, id: str) -> str:
        """The lines that the instance's log has of an execution."""
        return self._rest.send("GET", f"executions/{quote(id, safe='')}/log").text

    def cancel(self, execution: str, *, force: bool = False) -> bool:
        """Cancel an execution; False if it has ended already."""
        place = f"executions/{quote(execution, safe='')}/cancel"
        return self._rest.ask(_Cancelled, "POST", place, {"force": force}).cancelled

    def instances(self) -> list[Instance]:
        """Every live instance."""
        return self._rest.all(Instance, "instances")

    def queue(self) -> list[Waiting]:
        """Every command that was accepted and does not run yet, and why."""
        return self._rest.all(Waiting, "queue")

    def stop(self, key: str, reason: str = "asked to stop") -> None:
        """Stop the instance for a scope, with its ``cleanup``."""
        self._rest.send("POST", "instances/stop", {"key": key, "reason": reason})

    def terminate(self, key: str, reason: str = "terminated") -> None:
        """End the instance for a scope at once."""
        self._rest.send("POST", "instances/terminate", {"key": key, "reason": reason})

    def reset(self, key: str, reason: str = "reset") -> None:
        """Cancel all that runs on, or waits for, the instance for a scope, and stop it."""
        self._rest.send("POST", "instances/reset", {"key": key, "reason": reason})

    def retry(self, key: str) -> None:
        """Let a driver that failed to start again and again be tried at once, with the next command."""
        self._rest.send("POST", "instances/retry", {"key": key})

    def affected(self, key: str) -> list[Execution]:
        """What runs on the instance for a scope, and waits for it."""
        ids = {one.id for one in self.instances() if one.key == key}
        waiting = {one.execution for one in self.queue() if one.key == key}
        return [one for one in self.executions() if one.instance in ids or one.id in waiting]

    def cancel_all(self, key: str, reason: str = "asked to cancel all") -> int:
        """Cancel all that runs on, or waits for, the instance for a scope, which stays. How many that were."""
        asked = {"key": key, "reason": reason}
        return self._rest.ask(_HowMany, "POST", "instances/cancel-all", asked).cancelled

    def set_log_level(self, key: str, level: str) -> None:
        """Let the running instance for a scope log from ``level`` on."""
        asked = {"key": key, "level": level_name(level)}
        self._rest.send("POST", "instances/log-level", asked)

    def shell(self, name: str) -> Shell:
        """The shell of this name."""
        return self.catalog.get(name)

    def remove_shell(self, name: str, *, force: bool = False) -> None:
        """Remove a shell that was added; where resources are of it, only by ``force``."""
        place = f"shells/{quote(name, safe='')}"
        self._rest.send("DELETE", place, query={"force": str(force).lower()})

    def environments(self) -> list[Environment]:
        """The environments that drivers run in."""
        return self._rest.all(Environment, "environments")

    def nodes(self) -> list[Node]:
        """The execution servers."""
        return self._rest.all(Node, "nodes")

    def plugins(self) -> list[Plugin]:
        """The plugins of the server, and what they answer."""
        return self._rest.all(Plugin, "plugins")

    def discover(self, name: str) -> Resource:
        """Let the driver of a resource find its sub-resources, and keep them; waits for as long as that takes."""
        return self._rest.ask(Resource, "POST", "discoveries", {"resource": name}, patient=True)

    def remove(self, name: str) -> list[Resource]:
        """Remove a resource and all below it; returns what is gone."""
        gone = self.inventory.tree(name)
        self._rest.send("DELETE", f"resources/{quote(name)}")
        return gone

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
        return self._rest.ask(SandboxDetails, "POST", "sandboxes", given(asked), patient=True)

    def extend_sandbox(self, id: str, ends: float | None) -> Sandbox:
        """Let a sandbox end at another time (Unix time); None: when somebody ends it."""
        return self._rest.ask(
            Sandbox, "POST", f"sandboxes/{quote(id, safe='')}/extend", {"ends": ends}, again=True
        )

    def end_sandbox(self, id: str) -> Sandbox:
        """End a sandbox: its commands are cancelled, the instances of its apps and services stop."""
        place = f"sandboxes/{quote(id, safe='')}/end"
        return self._rest.ask(Sandbox, "POST", place, again=True, patient=True)

    def sandbox(self, id: str) -> SandboxDetails:
        """A sandbox and what is in it, also when it has ended."""
        return self._rest.ask(SandboxDetails, "GET", f"sandboxes/{quote(id, safe='')}")

    def list_sandboxes(self, *, ended: bool = False, owner: str | None = None) -> list[Sandbox]:
        """The sandboxes that have not ended, or all of them; of one owner, or of everybody."""
        return self._rest.all(Sandbox, "sandboxes", {"ended": str(ended).lower(), "owner": owner})

    def sandbox_output(self, id: str) -> list[Message]:
        """What commands returned and drivers wrote in a sandbox, also when it has ended."""
        return self._rest.all(Message, f"sandboxes/{quote(id, safe='')}/output")

    def events(
        self, kinds: Sequence[str] = (), *, execution: str = "", sandbox: str = "", after: str = ""
    ) -> Events:
        """What happens from now on, without end; goes on where it was when the connection breaks.

        :param kinds: ``execution``, ``output``, ``instance``, ``environment``, ``sandbox``; none: all.
        :param execution: leaves out what belongs to other executions.
        :param sandbox: leaves out what belongs to no sandbox, or another one.
        :param after: the id of the last event that is known.
        """
        query = {"kinds": ",".join(kinds), "execution": execution, "sandbox": sandbox}
        return Events(self._rest, query, after)
