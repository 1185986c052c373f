"""The service finds itself an address that drivers can dial, or says what is in the way (A1, A6)."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from shelldock.errors import ConflictError
from shelldock_compat.plugin import Api
from shelldock_compat.service import ApiService

if TYPE_CHECKING:
    from tests.compat.conftest import Served, World

Scenario = Callable[[ApiService], Awaitable[None]]


@contextmanager
def taken(address: str, port: int) -> Iterator[None]:
    """Somebody else listens there."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((address, port))
        other.listen()
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(world: World, settings: Api, scenario: Scenario) -> None:
    async def main() -> None:
        service = ApiService(world.callbacks, settings)
        try:
            await scenario(service)
        finally:
            await service.stop()

    asyncio.run(main())


async def get(address: str, port: int, path: str) -> tuple[int, bytes]:
    def ask() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(address, port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


def test_a1_where_an_address_is_taken_the_next_loopback_address_is_used(world: World) -> None:
    port = free_port()

    async def scenario(service: ApiService) -> None:
        told = await service.start()
        assert told.address == "127.0.0.2"
        assert told.api_port == port
        assert (await get(told.address, port, "/"))[0] == 404

    with taken("127.0.0.1", port):
        run(world, Api(port=port, rest_port=0), scenario)


def test_a1_ten_hosts_listen_on_ten_addresses(world: World) -> None:
    port = free_port()

    async def scenario(first: ApiService) -> None:
        others = [ApiService(world.callbacks, Api(port=port, rest_port=0)) for _ in range(9)]
        told = [await one.start() for one in (first, *others)]
        assert len({one.address for one in told}) == 10
        assert all(one.address.startswith("127.") for one in told)
        for one in others:
            await one.stop()

    run(world, Api(port=port, rest_port=0), scenario)


def test_where_every_loopback_address_is_taken_the_error_says_so(world: World) -> None:
    port = free_port()

    async def scenario(service: ApiService) -> None:
        with pytest.raises(ConflictError, match=r"0\.0\.0\.0"):
            await service.start()

    with taken("0.0.0.0", port):
        run(world, Api(port=port), scenario)


def test_an_address_that_was_chosen_is_used_or_refused_but_never_changed(world: World) -> None:
    port = free_port()

    async def scenario(service: ApiService) -> None:
        with pytest.raises(ConflictError, match=r"127\.0\.0\.5.*plugins\.api\.address"):
            await service.start()

    with taken("127.0.0.5", port):
        run(world, Api(address="127.0.0.5", port=port), scenario)


def test_an_address_that_this_machine_does_not_have_is_refused(world: World) -> None:
    async def scenario(service: ApiService) -> None:
        with pytest.raises(ConflictError, match=r"192\.0\.2\.1"):
            await service.start()

    run(world, Api(address="192.0.2.1", port=free_port()), scenario)


def test_drivers_are_not_told_to_dial_a_wildcard(world: World) -> None:
    async def scenario(service: ApiService) -> None:
        assert (await service.start()).address == "127.0.0.1"

    run(world, Api(address="0.0.0.0", port=free_port(), rest_port=0), scenario)


def test_a6_what_drivers_ask_of_the_rest_api_is_refused_at_once(world: World) -> None:
    settings = Api(port=free_port(), rest_port=free_port())

    async def scenario(service: ApiService) -> None:
        told = await service.start()
        status, body = await get(told.address, told.rest_port, "/API/Shells/My%20Switch")
        assert status == 404
        assert json.loads(body)["Message"]
        assert (await get(told.address, told.rest_port, "/API/Standards"))[0] == 501

    run(world, settings, scenario)


def test_a6_a_rest_port_that_is_taken_stops_nobody(world: World) -> None:
    settings = Api(port=free_port(), rest_port=free_port())

    async def scenario(service: ApiService) -> None:
        told = await service.start()
        assert (await get(told.address, told.api_port, "/"))[0] == 404

    with taken("127.0.0.1", settings.rest_port):
        run(world, settings, scenario)


def test_a_service_that_never_started_can_be_stopped(world: World) -> None:
    async def scenario(service: ApiService) -> None:
        await service.stop()

    run(world, Api(), scenario)


def test_the_plugin_offers_the_service_unless_it_is_disabled(world: World) -> None:
    class Host:
        callbacks = world.callbacks

    offered = Api().shelldock_services(Host())
    assert offered
    assert offered[0].name == "api"
    assert Api(enabled=False).shelldock_services(Host()) is None


def test_by_default_nobody_else_can_reach_it(served: Served) -> None:
    assert served.connectivity.address.startswith("127.")
    assert served.connectivity.api_port == 8029


@pytest.mark.parametrize("wrong", [{"port": -1}, {"rest_port": 65536}, {"connections": 0}])
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(wrong))):
        msgspec.convert(wrong, Api)
