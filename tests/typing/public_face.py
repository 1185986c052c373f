"""What somebody else's type checker sees of the public face: checked by mypy and pyright, never run."""

from __future__ import annotations

from typing import assert_type

from shelldock import NO_LIMIT, AsyncHost, Host, Resource, Sandbox, ShelldockError, Target, hookimpl
from shelldock.model import Execution, Finding, Instance, Message, Shell, Value, Waiting


class Patience(Value, frozen=True, kw_only=True):
    """A plugin with a setting."""

    seconds: float = NO_LIMIT

    @hookimpl
    def shelldock_idle_limit(self, instance: Instance) -> float | None:
        """An answer, or none."""
        return self.seconds if instance.shell == "Hello" else None


@hookimpl
def shelldock_scope(target: Target) -> str | None:
    """A plugin may be a function."""
    return target.sandbox.owner if target.sandbox is not None else None


def from_a_script() -> None:
    """The synchronous face."""
    target = Target(resource=Resource(name="sw1", shell="Hello"), sandbox=Sandbox(id="1"))
    with Host(plugins=[Patience(seconds=60)]) as host:
        assert_type(host, Host)
        assert_type(host.open_shell("Hello"), Shell)
        assert_type(host.check("Hello"), list[Finding])
        assert_type(host.execute(target, "hello", {"name": "World"}), Execution)
        assert_type(host.execute("sw1", "hello", ["World"], prints=False).result, str | None)
        assert_type(host.output("1"), list[Message])
        assert_type(host.queue(), list[Waiting])
        assert_type(host.affected("resource/sw1"), list[Execution])
        assert_type(host.cancel_all("resource/sw1"), int)
        assert_type(host.instances(), list[Instance])
        try:
            host.wait("1", timeout=3)
        except ShelldockError as error:
            assert_type(error.code, str)


async def from_a_service() -> None:
    """The asynchronous face."""
    async with AsyncHost(plugins=[Patience()], fresh=True) as host:
        assert_type(host, AsyncHost)
        assert_type(await host.submit("sw1", "hello"), Execution)
        assert_type(await host.cancel("1"), bool)
        assert_type(await host.instances(memory=False), list[Instance])


assert_type(shelldock_scope(Target(resource=Resource(name="sw1"))), str | None)
