"""A host's face for drivers with a switch, a sandbox and a running command behind it, served on a loopback address."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TypeVar, cast
from xml.etree import ElementTree

import pytest

from shelldock.callbacks import Callbacks
from shelldock.connections import Connections
from shelldock.errors import ConflictError, NotFoundError
from shelldock.executions import Executions
from shelldock.inputs import Inputs
from shelldock.inventory import Inventory
from shelldock.model import (
    Attribute,
    Call,
    Connectivity,
    Driver,
    Execution,
    Resource,
    Sandbox,
    Shell,
    Target,
)
from shelldock.sandboxes import Sandboxes
from shelldock.store import Store
from shelldock.tokens import Tokens
from shelldock.vault import Vault
from shelldock_compat.automation import AutomationApi
from shelldock_compat.listener import Request, Response
from shelldock_compat.plugin import Api
from shelldock_compat.service import ApiService

SWITCH = Shell(
    name="MySwitch",
    model="MySwitch",
    family="CS_Switch",
    attributes=(
        Attribute(name="MySwitch.User"),
        Attribute(name="MySwitch.Password", type="password"),
        Attribute(name="MySwitch.Sessions", type="integer", default="1"),
        Attribute(name="CS_Switch.Vendor"),
    ),
    driver=Driver(name="MySwitchDriver", main_class="driver.D", source=Path("src"), digest="0"),
    path=Path("my-switch"),
)
DETAILS = {
    "resources": [
        {"model": "MySwitch.GenericChassis", "name": "Chassis 1", "relative_address": "CH1"},
        {"model": "MySwitch.GenericPort", "name": "P1", "relative_address": "CH1/P1"},
    ],
    "attributes": [
        {
            "relative_address": "CH1/P1",
            "attribute_name": "MySwitch.GenericPort.MTU",
            "attribute_value": "1500",
        }
    ],
}
APP = {
    "name": "web",
    "vmdetails": {"uid": "vm-7", "vmCustomParams": [{"name": "auto", "value": "no"}]},
}


T = TypeVar("T")


class Closed:
    """A host that knows one shell and is not open: it runs nothing."""

    def shell(self, name: str) -> Shell:
        if name != SWITCH.name:
            raise NotFoundError("shell", name)
        return SWITCH

    async def submit(
        self,
        target: Target | str,
        command: str,
        inputs: Inputs | None = None,
        *,
        ports: Sequence[str] = (),
        prints: bool = True,
        parent: str = "",
    ) -> Execution:
        raise ConflictError("the host is not open")

    async def wait(self, execution: str) -> Execution:
        raise NotFoundError("execution", execution)

    async def cancel(self, execution: str, *, force: bool = False) -> bool:
        raise NotFoundError("execution", execution)

    async def reset_target(self, target: Target) -> None:
        raise ConflictError("the host is not open")

    async def discover(self, name: str, *, parent: str = "") -> Resource:
        raise ConflictError("the host is not open")


def _at_once(work: Coroutine[object, object, T]) -> T:
    """What comes of work that has nothing to wait for."""
    try:
        work.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    raise AssertionError("it waits")


class World:
    """The real parts of a host that drivers reach: ``sw1`` in the inventory, an app and a service in sandbox ``r1``."""

    def __init__(self) -> None:
        self.vault = Vault.ephemeral()
        self.tokens = Tokens()
        self._store = Store.memory()
        commands = Closed()
        self.inventory = Inventory(self._store, self.vault, commands.shell)
        self.sandboxes = Sandboxes()
        self.executions = Executions(lambda _: None)
        self.connections = Connections(self._store, self.inventory.resource)
        self.callbacks = Callbacks(
            self.inventory,
            self.sandboxes,
            self.executions,
            self.vault,
            self.tokens,
            commands,
            lambda: self.connections,
        )
        attributes = {
            "User": "admin",
            "Password": "pass\n<&\"'é",
            "Vendor": "line 1\nline 2\t\u2603",
        }
        self.inventory.create("sw1", SWITCH, "10.0.0.1", attributes, description="a & b")
        self.inventory.replace_tree("sw1", json.dumps(DETAILS))
        sandbox = Sandbox(id="r1", name="sb", blueprint="bp1")
        target = Target(resource=self.inventory.resource("sw1"), sandbox=sandbox)
        app = Resource(
            name="web_1",
            shell="MySwitch",
            model="MySwitch",
            address="10.0.0.9",
            deployed_app=json.dumps(APP),
        )
        service = Resource(
            name="my svc", shell="MySwitch", model="MySwitch", attributes={"MySwitch.User": "bob"}
        )
        self.sandboxes.admit(target)
        self.sandboxes.admit(Target(kind="app", resource=app, sandbox=sandbox))
        self.sandboxes.admit(Target(kind="service", resource=service, sandbox=sandbox))
        self.execution = self.executions.accept(
            Call(execution="e1", target=target, command="hello")
        ).id
        self.token = self.tokens.mint(self.execution)

    @property
    def messages(self) -> tuple[str, ...]:
        """What the running command said."""
        return self.executions.get(self.execution).messages

    def close(self) -> None:
        """End the world."""
        self._store.close()

    def service(self) -> Resource:
        """The service as it is now."""
        found = self.sandboxes.find("my svc")
        assert found
        return found.resource


class Caller:
    """Calls the API without a network, as a client with the world's token."""

    def __init__(self, world: World) -> None:
        self.api = AutomationApi(world.callbacks)
        self.token = world.token

    def raw(self, operation: str, body: bytes, token: str | None = None) -> Response:
        """The response to a body as given."""
        token = self.token if token is None else token
        answer = self.api(
            Request(
                method="POST",
                target=f"/ResourceManagerApiService/{operation}",
                headers={"authorization": f"MachineName=here:8029;Token={token}"},
                body=body,
            )
        )
        assert isinstance(answer, Response)
        return answer

    def __call__(self, operation: str, **fields: str) -> ElementTree.Element:
        """The reply to fields that are texts."""
        body = ElementTree.Element(operation)
        for name, text in fields.items():
            ElementTree.SubElement(body, name).text = text
        response = self.raw(operation, ElementTree.tostring(body))
        return ElementTree.fromstring(response.body.replace(b"xmlns=", b"was="))


class Served:
    """A world behind a real socket, on an event loop of its own."""

    def __init__(self) -> None:
        self.connectivity = Connectivity()
        self.failure: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(10)
        if self.failure:
            raise self.failure

    def stop(self) -> None:
        """Stop the service and its loop."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.world.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.world = World()
        service = ApiService(self.world.callbacks, Api())
        try:
            self.connectivity = await service.start()
        except BaseException as error:
            self.failure = error
            return
        finally:
            self._ready.set()
        await self._stop.wait()
        await service.stop()


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh world."""
    world = World()
    yield world
    world.close()


@pytest.fixture
def ask(world: World) -> Caller:
    """Calls the API of ``world``."""
    return Caller(world)


@pytest.fixture
def served() -> Iterator[Served]:
    """A fresh world on a loopback address, port 8029."""
    served = Served()
    yield served
    served.stop()
