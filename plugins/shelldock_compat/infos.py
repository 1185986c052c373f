"""The reply classes of the operations that drivers call, field for field as the clients know them."""

from __future__ import annotations

import msgspec

from shelldock_compat.replies import Info


class LogonDomainInfo(Info, frozen=True):
    """The domain that a session works in. Clients up to 2020.1 keep the id as the session's domain."""

    name: str
    domain_id: str
    description: str = ""


class UserInfo(Info, frozen=True):
    """The user of a session; drivers are administrators."""

    name: str = "admin"
    is_admin: bool = True
    is_active: bool = True
    is_domain_admin: bool = True


class LogonTokenInfo(Info, frozen=True):
    """The token of a session."""

    token: str


class LogonResponseInfo(Info, frozen=True):
    """Reply to a login."""

    domain: LogonDomainInfo
    user: UserInfo
    token: LogonTokenInfo


class AttributeValueInfo(Info, frozen=True):
    """An attribute's value; also a decrypted password, which has no name."""

    name: str
    value: str


class ResourceLiveStatusInfo(Info, frozen=True, rename="camel"):
    """The live status of a resource. The only class whose fields begin in lower case."""

    live_status_name: str
    live_status_description: str


class ResourceAttribute(Info, frozen=True):
    """An attribute of a resource."""

    name: str
    value: str
    type: str


class DomainInfo(Info, frozen=True):
    """A domain that a resource belongs to."""

    name: str
    description: str = ""


class VmCustomParam(Info, frozen=True):
    """A parameter that a cloud provider keeps with a virtual machine."""

    name: str
    value: str


class VmDetails(Info, frozen=True):
    """The virtual machine behind a deployed app."""

    uid: str = msgspec.field(default="", name="UID")
    cloud_provider_full_name: str = ""
    vm_custom_params: tuple[VmCustomParam, ...] = ()
    instance_data: tuple[VmCustomParam, ...] = ()
    network_data: tuple[Info, ...] = ()


class LockInfo(Info, frozen=True):
    """Who locked a resource: nobody, here."""

    reservation_name: str = ""
    machine_name: str = ""
    username: str = ""
    created: str = ""


class Connection(Info, frozen=True):
    """A cable, seen from the resource that has it."""

    full_path: str
    weight: int


class ResourceInfo(Info, frozen=True, kw_only=True):
    """A resource with everything below it."""

    name: str
    driver_name: str = ""
    folder_full_path: str = ""
    address: str = ""
    full_address: str = ""
    root_address: str = ""
    resource_family_name: str = ""
    resource_model_name: str = ""
    locked: bool = False
    excluded: bool = False
    description: str = ""
    permission: str = "Owner"
    uniqe_identifier: str = ""
    """So misspelt in every client."""
    resource_live_status_name: str = ""
    resource_live_status_description: str = ""
    created_in_reservation: str = ""
    created_in_reservation_id: str = ""
    created_by_user: str = ""
    created_in_domain: str = ""
    create_date: str = ""
    modification_date: str = ""
    version: int = 0
    vm_details: VmDetails | None = None
    lock_info: LockInfo = LockInfo()
    resource_attributes: tuple[ResourceAttribute, ...] = ()
    domains: tuple[DomainInfo, ...] = (DomainInfo("Global"),)
    child_resources: tuple[ResourceInfo, ...] = ()
    connections: tuple[Connection, ...] = ()


class AppInfo(Info, frozen=True):
    """The app that a resource was deployed from."""

    app_name: str


class ReservedResourceInfo(Info, frozen=True, kw_only=True):
    """A resource or deployed app in a sandbox."""

    name: str
    app_template_name: str = ""
    folder_full_path: str = ""
    full_address: str = ""
    shared: bool = False
    availability: str = "Available"
    locked: bool = False
    released: bool = False
    resource_family_name: str = ""
    resource_model_name: str = ""
    created_by_user: str = ""
    created_in_domain: str = ""
    created_in_reservation: str = ""
    vm_details: VmDetails | None = None
    app_details: AppInfo | None = None


class ServiceInstance(Info, frozen=True, kw_only=True):
    """A service in a sandbox."""

    service_name: str
    alias: str
    address: str = ""
    resource_live_status_name: str = ""
    resource_live_status_description: str = ""
    attributes: tuple[AttributeValueInfo, ...] = ()


class TopologyShortInfo(Info, frozen=True):
    """The blueprint of a sandbox."""

    name: str
    alias: str
    type: str = "Regular"
    state: str = ""


class ReservationLiveStatus(Info, frozen=True):
    """The live status of a sandbox as a whole; Shelldock keeps none."""

    reservation_id: str
    reservation_live_status_name: str = ""
    reservation_live_status_description: str = ""


class ReservationDescriptionInfo(Info, frozen=True, kw_only=True):
    """A sandbox with what is used in it. Times are empty: a sandbox of ours has no end to plan with."""

    id: str
    name: str = ""
    description: str = ""
    start_time: str = ""
    end_time: str = ""
    teardown_time: str = ""
    recurrence_type: str = "None"
    owner: str = ""
    booked: bool = True
    status: str = "Started"
    provisioning_status: str = "Ready"
    actual_end_time: str = ""
    create_date: str = ""
    modification_date: str = ""
    domain_name: str = ""
    reservation_live_status_name: str = ""
    reservation_live_status_description: str = ""
    setup_stage: str = "Ended"
    saved_sandbox_id: str = ""
    reservation_live_status: ReservationLiveStatus
    topologies: tuple[str, ...] = ()
    topologies_info: tuple[TopologyShortInfo, ...] = ()
    permitted_users: tuple[str, ...] = ()
    resources: tuple[ReservedResourceInfo, ...] = ()
    topologies_reserved_resources: tuple[Info, ...] = ()
    conflicts: tuple[Info, ...] = ()
    topologies_route_info: tuple[Info, ...] = ()
    topologies_resources_attribute_info: tuple[Info, ...] = ()
    topologies_instructions_info: tuple[Info, ...] = ()
    active_routes_info: tuple[Info, ...] = ()
    requested_routes_info: tuple[Info, ...] = ()
    connectors: tuple[Info, ...] = ()
    apps: tuple[Info, ...] = ()
    services: tuple[ServiceInstance, ...] = ()


class GetReservationDescriptionResponseInfo(Info, frozen=True):
    """Reply to ``GetReservationDetails``."""

    reservation_description: ReservationDescriptionInfo


class CommandExecutionIdResponseInfo(Info, frozen=True):
    """A command that was accepted: its id is for ``CancelResourceCommand``."""

    id: str


class CommandExecutionCompletedResultInfo(Info, frozen=True):
    """How a command ended that went well."""

    output: str


class Parameter(Info, frozen=True):
    """One input of a command."""

    name: str
    description: str = ""
    type: str = "String"
    mandatory: bool = False
    default_value: str = ""
    enum_values: str = ""


class Command(Info, frozen=True):
    """One command of a driver."""

    name: str
    tag: str = ""
    description: str = ""
    display_name: str = ""
    parameters: tuple[Parameter, ...] = ()


class ResourceCommandListInfo(Info, frozen=True):
    """The commands of a driver."""

    commands: tuple[Command, ...] = ()
