"""Resources and sandboxes, described as ``GetResourceDetails`` and ``GetReservationDetails`` tell them."""

from __future__ import annotations

import logging
from typing import Any, Final

import msgspec

from shelldock.errors import ShelldockError
from shelldock.model import AttributeType, Command, Resource, Sandbox, Shell, Target, Value
from shelldock_compat import infos
from shelldock_compat.backend import Backend

log = logging.getLogger(__name__)

_TYPES: Final[dict[AttributeType, str]] = {
    "string": "String",
    "integer": "Numeric",
    "float": "Numeric",
    "boolean": "Boolean",
    "password": "Password",
    "list": "Lookup",
}


class _Tree(Value, frozen=True):
    """What all resources of one tree share: who asks, the driver, the attributes' types, the root's address."""

    subject: str
    driver: str
    types: dict[str, str]
    address: str
    folder: str
    connections: dict[str, infos.Connection]


class Describer:
    """Reads the host's inventory and sandboxes into reply classes."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def commands(self, shell: Shell | None) -> infos.ResourceCommandListInfo:
        """The commands of a shell's driver, hidden ones as well (D3)."""
        driver = shell.driver if shell else None
        return infos.ResourceCommandListInfo(
            tuple(_command(one) for one in driver.commands) if driver else ()
        )

    def resource(self, resource: Resource, subject: str) -> infos.ResourceInfo:
        """``resource`` with everything below it.

        Never fails: the networking libraries load it in a thread and wait for an event that an error never sets, so
        what cannot be told is left out, and logged.
        """
        shell = self._shell(resource, subject)
        driver = shell.driver.name if shell and shell.driver else ""
        types = {one.name: _TYPES[one.type] for one in shell.attributes} if shell else {}
        root = self._root(resource, subject)
        tree = _Tree(
            subject=subject,
            driver=driver,
            types=types,
            address=root.address,
            folder=root.folder,
            connections=self._connections(resource, subject),
        )
        return self._resource(resource, tree)

    def sandbox(
        self, sandbox: Sandbox, targets: list[Target], subject: str
    ) -> infos.GetReservationDescriptionResponseInfo:
        """``sandbox`` and what is used in it."""
        blueprints = (sandbox.blueprint,) if sandbox.blueprint else ()
        return infos.GetReservationDescriptionResponseInfo(
            infos.ReservationDescriptionInfo(
                id=sandbox.id,
                name=sandbox.name,
                description=sandbox.description,
                owner=sandbox.owner,
                status="Started" if sandbox.state == "active" else "Teardown",
                domain_name=sandbox.domain,
                reservation_live_status=infos.ReservationLiveStatus(sandbox.id),
                topologies=blueprints,
                topologies_info=tuple(infos.TopologyShortInfo(one, one) for one in blueprints),
                permitted_users=(sandbox.owner,),
                resources=tuple(
                    self._reserved(one, sandbox, subject)
                    for one in targets
                    if one.kind != "service"
                ),
                services=tuple(_service(one.resource) for one in targets if one.kind == "service"),
            )
        )

    def _resource(self, resource: Resource, tree: _Tree) -> infos.ResourceInfo:
        return infos.ResourceInfo(
            name=resource.name,
            driver_name=tree.driver,
            folder_full_path=tree.folder,
            address=_local_address(resource),
            full_address=_full_address(resource, tree.address),
            root_address=tree.address,
            resource_family_name=resource.family,
            resource_model_name=resource.model,
            excluded=resource.excluded,
            description=resource.description,
            uniqe_identifier=resource.unique_identifier or resource.id,
            resource_live_status_name=resource.status,
            resource_live_status_description=resource.status_text,
            vm_details=vm_details(resource),
            resource_attributes=tuple(
                infos.ResourceAttribute(name, value, tree.types.get(name, "String"))
                for name, value in resource.attributes.items()
            ),
            child_resources=tuple(
                self._resource(child, tree) for child in self._children(resource, tree.subject)
            ),
            connections=(
                (tree.connections[resource.name],) if resource.name in tree.connections else ()
            ),
        )

    def _reserved(
        self, target: Target, sandbox: Sandbox, subject: str
    ) -> infos.ReservedResourceInfo:
        resource = target.resource
        app = target.kind == "app"
        root = self._root(resource, subject)
        return infos.ReservedResourceInfo(
            name=resource.name,
            folder_full_path=root.folder,
            full_address=_full_address(resource, root.address),
            resource_family_name=resource.family,
            resource_model_name=resource.model,
            created_in_domain=sandbox.domain if app else "",
            created_in_reservation=sandbox.id if app else "",
            vm_details=vm_details(resource),
            app_details=infos.AppInfo(_app_name(resource)) if app else None,
        )

    def _shell(self, resource: Resource, subject: str) -> Shell | None:
        try:
            return self._backend.shell_of(resource, subject)
        except ShelldockError as error:
            log.warning("described %r without its shell: %s", resource.name, error)
            return None

    def _children(self, resource: Resource, subject: str) -> list[Resource]:
        try:
            return self._backend.children(resource.name, subject)
        except ShelldockError as error:
            log.warning("described %r without its sub-resources: %s", resource.name, error)
            return []

    def _root(self, resource: Resource, subject: str) -> Resource:
        """Its root; without address and folder where that cannot be told."""
        if "/" not in resource.name:
            return resource
        try:
            return self._backend.resource(resource.root, subject)
        except ShelldockError as error:
            log.warning("described %r without the address of its root: %s", resource.name, error)
            return Resource(name=resource.root)

    def _connections(self, resource: Resource, subject: str) -> dict[str, infos.Connection]:
        try:
            found = self._backend.connections(resource.name, subject)
            return {
                name: infos.Connection(self._path(other, subject), weight)
                for name, (other, weight) in found.items()
            }
        except ShelldockError as error:
            log.warning("described %r without its connections: %s", resource.name, error)
            return {}

    def _path(self, resource: Resource, subject: str) -> str:
        """The full path: as CloudShell has it, the folder of the root before the full name."""
        folder = self._root(resource, subject).folder
        return f"{folder}/{resource.name}" if folder else resource.name


def _full_address(resource: Resource, root: str) -> str:
    """Sub-resources have addresses relative to their root's: ``CH1/P3`` on ``10.0.0.1``."""
    return f"{root}/{resource.address}" if "/" in resource.name else resource.address


def _local_address(resource: Resource) -> str:
    return resource.address.rpartition("/")[2] if "/" in resource.name else resource.address


def vm_details(resource: Resource) -> infos.VmDetails | None:
    """The virtual machine that ``resource`` is, or None where it is none; clients ask for its ``UID``."""
    details = _json(resource.deployed_app).get("vmdetails")
    if not isinstance(details, dict) or not details.get("uid"):
        return None
    parameters = details.get("vmCustomParams")
    return infos.VmDetails(
        uid=str(details["uid"]),
        cloud_provider_full_name=str(
            details.get("cloudProviderName") or details.get("cloudProviderId") or ""
        ),
        vm_custom_params=tuple(
            infos.VmCustomParam(str(one.get("name", "")), str(one.get("value", "")))
            for one in (parameters if isinstance(parameters, list) else ())
            if isinstance(one, dict)
        ),
    )


def _service(resource: Resource) -> infos.ServiceInstance:
    return infos.ServiceInstance(
        service_name=resource.model,
        alias=resource.name,
        address=resource.address,
        resource_live_status_name=resource.status,
        resource_live_status_description=resource.status_text,
        attributes=tuple(infos.AttributeValueInfo(*one) for one in resource.attributes.items()),
    )


def _app_name(resource: Resource) -> str:
    return str(_json(resource.app_request).get("name") or resource.name)


def _json(text: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text) if text else {}
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _command(command: Command) -> infos.Command:
    return infos.Command(
        name=command.name,
        tag=",".join(command.tags),
        description=command.description,
        display_name=command.label or command.name,
        parameters=tuple(
            infos.Parameter(
                name=one.name,
                description=one.description,
                type="Lookup" if one.choices else "String",
                mandatory=one.mandatory,
                default_value=one.default or "",
                enum_values=",".join(one.choices),
            )
            for one in command.parameters
            if one.declared or not command.declared
        ),
    )
