"""All nodes together: which of them holds a scope, and what they have."""

from __future__ import annotations

from collections.abc import Mapping

from shelldock.errors import ConflictError, NotFoundError, SettingsError
from shelldock.fabric import Claim, Fabric, Local
from shelldock.model import Call, Instance, Node, Outcome, Shell, Target, Waiting
from shelldock.plugins import Plugins


class Fleet:
    """Reaches the nodes over the fabric, this machine's own among them."""

    def __init__(self, fabric: Fabric, plugins: Plugins) -> None:
        self._fabric = fabric
        self._plugins = plugins

    async def nodes(self) -> list[Node]:
        """Every node that has joined."""
        return list(await self._fabric.nodes())

    async def execute(self, key: str, shell: Shell, call: Call) -> Outcome:
        """Run a command on the node that holds ``key``, or from now on does."""
        claim = await self._fabric.find(key) or await self._placed(key, shell, call.target)
        outcome = await self._fabric.call(claim.node, "execute", key, shell, call)
        assert isinstance(outcome, Outcome)
        return outcome

    async def instances(self, *, memory: bool) -> list[Instance]:
        """Every live instance on every node."""
        found: list[Instance] = []
        for node in await self._fabric.nodes():
            answer = await self._fabric.call(node.name, "instances", memory)
            assert isinstance(answer, list)
            found += answer
        return found

    async def queue(self) -> list[Waiting]:
        """What waits on any node."""
        found: list[Waiting] = []
        for node in await self._fabric.nodes():
            answer = await self._fabric.call(node.name, "queue")
            assert isinstance(answer, list)
            found += answer
        return found

    async def on_holder(self, key: str, verb: str, *arguments: object) -> object:
        """What the node that holds ``key`` answers. Raises ``NotFoundError`` where none does."""
        claim = await self._fabric.find(key)
        if claim is None:
            known = [instance.key for instance in await self.instances(memory=False)]
            raise NotFoundError("instance", key, known)
        return await self._fabric.call(claim.node, verb, key, *arguments)

    async def on_claimed(self, key: str, verb: str, *arguments: object) -> object:
        """What the node that holds ``key`` answers; None where none does."""
        claim = await self._fabric.find(key)
        return await self._fabric.call(claim.node, verb, key, *arguments) if claim else None

    async def _placed(self, key: str, shell: Shell, target: Target) -> Claim:
        """Who holds ``key`` from now on: the node that the plugins choose, unless another was quicker."""
        nodes = [
            node
            for node in await self._fabric.nodes()
            if not node.slots or node.instances < node.slots
        ]
        if not nodes:
            raise ConflictError(
                f"no execution server has a free slot for {key!r}; stop an instance or add a server"
            )
        return await self._fabric.claim(key, self._plugins.place(shell, target, nodes))


def chosen(name: str, offered: Mapping[str, Fabric]) -> Fabric:
    """The engine that the setting ``fabric`` names. Raises ``SettingsError`` where there is none."""
    fabrics: dict[str, Fabric] = {"local": Local(), **offered}
    if name not in fabrics:
        raise SettingsError(f"there is no fabric {name!r}; known: {', '.join(sorted(fabrics))}")
    return fabrics[name]
