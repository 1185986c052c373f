"""Once the plugin is installed, users no longer share instances."""

from __future__ import annotations

from shelldock.model import Resource, Sandbox, Target
from shelldock.plugins import Plugins
from shelldock.settings import Settings

switch = Resource(name="sw1")
port = Resource(name="sw1/Chassis 1/P3")


def scope(resource: Resource, *, owner: str | None = None) -> str:
    """The answer of all plugins that are installed here, ours among them."""
    sandbox = None if owner is None else Sandbox(id=f"sandbox of {owner}", owner=owner)
    return Plugins(Settings()).scope(Target(resource=resource, sandbox=sandbox))


def test_users_do_not_share_an_instance():
    assert scope(switch, owner="ann") != scope(switch, owner="bob")


def test_a_users_sandboxes_and_sub_resources_share_one():
    assert scope(switch, owner="ann") == scope(port, owner="ann")


def test_outside_a_sandbox_the_default_answers():
    assert scope(port) == scope(switch)
