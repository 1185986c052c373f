"""What commands are for: found by name, made from a shell, and always as it is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from shelldock.blueprints import App, Blueprint, text
from shelldock.catalog import Catalog
from shelldock.errors import InputError, NotFoundError
from shelldock.inventory import Inventory, build, fitting
from shelldock.model import Kind, Resource, Sandbox, Shell, Target
from shelldock.sandboxes import NO_SANDBOX, Sandboxes
from shelldock.vault import Vault

if TYPE_CHECKING:
    from shelldock.connections import Connections


class Targets:
    """Resources of the inventory, what is in sandboxes, and what is in neither.

    :param connections: the cables, which nobody needs before a command has ports.
    """

    def __init__(
        self,
        catalog: Catalog,
        inventory: Inventory,
        sandboxes: Sandboxes,
        vault: Vault,
        connections: Callable[[], Connections],
    ) -> None:
        self._catalog = catalog
        self._inventory = inventory
        self._sandboxes = sandboxes
        self._vault = vault
        self._connections = connections
        self._opened: dict[str, Shell] = {}

    # ---- shells ---------------------------------------------------------------------------------

    def shell(self, name: str) -> Shell:
        """The shell of this name, or one that was opened at this path. Raises ``NotFoundError`` or ``ShellError``."""
        opened = self._opened.get(name)
        return opened if opened is not None else self._catalog.get(name)

    def open_shell(self, name: str | Path) -> Shell:
        """The installed shell of this name, or the one at this path, which is then known by its path."""
        shell = self._catalog.open(str(name))
        self._opened[str(name)] = shell
        return shell

    def of_shell(
        self,
        shell: str | Path,
        name: str = "",
        *,
        address: str = "",
        attributes: Mapping[str, str] | None = None,
        kind: Kind | None = None,
        sandbox: Sandbox | None = None,
    ) -> Target:
        """Something that a shell drives, in no inventory; see ``AsyncHost.target``."""
        opened = self.open_shell(shell)
        resource = build(
            name or fitting(opened.name), opened, address, attributes, vault=self._vault
        )
        resource = replace(resource, shell=str(shell))  # known by where it was found
        return Target(kind=kind or opened.kind, resource=resource, sandbox=sandbox)

    # ---- by name --------------------------------------------------------------------------------

    def locate(self, name: str, sandbox: str = "") -> Target:
        """What is called so: a resource of the inventory, or what is in a sandbox. Raises ``NotFoundError``."""
        if not sandbox:
            return Target(resource=self._inventory.resource(name))
        here, targets = self._sandboxes.sandbox(sandbox)
        found = self._sandboxes.known(name, sandbox)
        if found is not None:
            return found
        held = {one.resource for one in self._sandboxes.holds(sandbox)}
        if name.partition("/")[0] in held:
            return Target(resource=self._inventory.resource(name), sandbox=here)
        known = sorted({*held, *(one.name for one in targets)})
        inside = f"it has {', '.join(map(repr, known[:5]))}" if known else "it is empty"
        raise NotFoundError(f"target in sandbox {here.name or sandbox!r}", name, known, inside)

    def held(self, name: str) -> Target:
        """A resource that a sandbox can hold. Raises ``NotFoundError``, and ``InputError`` for a part of one."""
        resource = self._inventory.resource(name)
        if name != resource.root:
            raise InputError(
                f"a sandbox holds whole resources: name {resource.root!r} in place of its part {name!r}"
            )
        return Target(resource=resource, stored=True)

    def of_blueprint(self, blueprint: Blueprint, sandbox: Sandbox) -> Sequence[Target]:
        """The resources, apps and services of a new sandbox. Raises ``NotFoundError`` and ``InputError``."""
        return [
            *(self.held(one.name) for one in blueprint.resources),
            *(self._app(one, sandbox) for one in blueprint.apps),
            *(
                self._part("service", one.shell, one.name, "", text(one.attributes), sandbox)
                for one in blueprint.services
            ),
        ]

    def connected(self, ports: Sequence[str]) -> list[Resource]:
        """What these ports are connected to, in their order; nothing where none of them is (I14)."""
        others = self._connections().of(ports)
        loose = [one for one in ports if one not in others]
        if others and loose:
            raise InputError(
                f"{loose[0]!r} is connected to nothing, and {next(iter(others))!r} is; connect it, or name "
                "ports of one kind"
            )
        return [self._inventory.resource(others[one]) for one in ports] if others else []

    # ---- as it is now ---------------------------------------------------------------------------

    def current(self, target: Target | str) -> Target:
        """A target as drivers shall see it: as it is now, and findable by name while it is in use."""
        if isinstance(target, str):
            target = Target(resource=self._inventory.resource(target))
        if target.kind == "resource" and target.name in self._inventory:
            # The driver of the root answers for its ports (I13).
            root = self._inventory.resource(target.resource.root)
            target = replace(target, resource=root, stored=True)
            if target.sandbox is None:
                return target
        return self._sandboxes.admit(self._sandboxes.current(target))

    def renewed(self, target: Target) -> Target:
        """A target whose command has waited. Raises ``NotFoundError`` where its resource was removed."""
        if target.stored:
            return replace(target, resource=self._inventory.resource(target.name))
        sandbox = target.sandbox.id if target.sandbox else NO_SANDBOX
        return self._sandboxes.known(target.name, sandbox) or target

    def refuse_excluded(self, target: Target | str) -> None:
        """Raise ``ExcludedError`` where a target is excluded, or a resource that it is part of (N1)."""
        if isinstance(target, str):
            self._inventory.refuse_excluded(target)
        elif target.kind == "resource":
            self._inventory.refuse_excluded(target.name)

    # ---- what is a sandbox's own ----------------------------------------------------------------

    def _app(self, app: App, sandbox: Sandbox) -> Target:
        address = app.address
        given = text(app.attributes)
        if app.resource:
            deployed = self._inventory.resource(app.resource)
            address = deployed.address
            shell = self.shell(app.shell)
            known = {
                name: self._vault.decrypt(value)
                for name, value in deployed.attributes.items()
                if shell.attribute(name)
            }
            given = known | given
        return self._part("app", app.shell, app.name, address, given, sandbox)

    def _part(
        self,
        kind: Kind,
        shell: str,
        name: str,
        address: str,
        attributes: Mapping[str, str],
        sandbox: Sandbox,
    ) -> Target:
        self._catalog.get(
            shell
        )  # an installed one: whoever asks may not read paths of this machine
        return self.of_shell(
            shell, name, address=address, attributes=attributes, kind=kind, sandbox=sandbox
        )
