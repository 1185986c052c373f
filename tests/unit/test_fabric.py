"""The rules of many machines, on one: a key has one holder, and a claim is given back by its holder only."""

from __future__ import annotations

import pytest

from shelldock.errors import ConflictError, NotFoundError
from shelldock.fabric import Local
from shelldock.model import Node


async def joined(*names: str) -> Local:
    fabric = Local()
    for name in names:

        async def serve(verb: str, arguments: tuple[object, ...], name: str = name) -> object:
            return (name, verb, *arguments)

        await fabric.join(Node(name=name), serve)
    return fabric


async def test_the_first_claim_holds_until_it_is_released() -> None:
    fabric = await joined("a", "b")
    first = await fabric.claim("k", "a")
    assert await fabric.claim("k", "b") == first
    assert await fabric.find("k") == first
    await fabric.release(first)
    second = await fabric.claim("k", "b")
    assert (second.node, second.epoch > first.epoch) == ("b", True)
    await fabric.release(first)
    assert await fabric.find("k") == second


async def test_a_node_that_leaves_takes_its_claims_with_it() -> None:
    fabric = await joined("a", "b")
    await fabric.claim("k", "a")
    kept = await fabric.claim("l", "b")
    await fabric.leave("a")
    assert await fabric.find("k") is None
    assert await fabric.find("l") == kept
    assert [node.name for node in await fabric.nodes()] == ["b"]


async def test_a_call_reaches_its_node_and_one_to_no_node_says_so() -> None:
    fabric = await joined("a", "b")
    assert await fabric.call("b", "stop", "k") == ("b", "stop", "k")
    with pytest.raises(NotFoundError, match="no node 'c'"):
        await fabric.call("c", "stop", "k")


async def test_a_node_is_known_with_as_many_instances_as_it_holds_keys() -> None:
    fabric = await joined("a", "b")
    first = await fabric.claim("k", "a")
    await fabric.claim("k", "b")
    await fabric.claim("l", "a")
    assert {node.name: node.instances for node in await fabric.nodes()} == {"a": 2, "b": 0}
    await fabric.release(first)
    await fabric.release(first)
    assert {node.name: node.instances for node in await fabric.nodes()} == {"a": 1, "b": 0}


async def test_two_nodes_cannot_have_one_name() -> None:
    with pytest.raises(ConflictError, match=r"'a' is there already; set 'node\.name'"):
        await joined("a", "a")
