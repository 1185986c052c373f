"""The operations of the Automation API that drivers call, each in terms of the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shelldock.errors import InputError, NotFoundError, ShelldockError
from shelldock.model import Resource, Shell
from shelldock_compat import infos
from shelldock_compat.backend import Backend
from shelldock_compat.descriptions import Describer
from shelldock_compat.replies import Info
from shelldock_compat.requests import Fields, Operation

Answer = Callable[[Operation], Info | None]
"""Does what is asked and gives the reply's content; raises ``ShelldockError`` for a failure."""


Change = tuple[str, str, str]
"""A resource, its attribute, the value to come; all by full name."""


class Operations:
    """What may be asked once logged in, by name."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._describer = Describer(backend)
        self._answers: Final[dict[str, Answer]] = {
            "DecryptPassword": self._decrypt_password,
            "GetAttributeValue": self._get_attribute_value,
            "GetReservationDetails": self._get_reservation_details,
            "GetResourceCommands": self._get_resource_commands,
            "GetResourceDetails": self._get_resource_details,
            "GetResourceLiveStatus": self._get_resource_live_status,
            "GetServiceCommands": self._get_service_commands,
            "SetAttributeValue": self._set_attribute_value,
            "SetAttributesValues": self._set_attributes_values,
            "SetResourceLiveStatus": self._set_resource_live_status,
            "SetServiceAttributesValues": self._set_service_attributes_values,
            "SetServiceLiveStatus": self._set_service_live_status,
            "UpdateConnectionWeight": self._update_connection_weight,
            "UpdatePhysicalConnection": self._update_physical_connection,
            "UpdateResourceAddress": self._update_resource_address,
            "WriteMessageToReservationOutput": self._write_message,
        }

    @property
    def names(self) -> list[str]:
        """All operations, as clients spell them."""
        return list(self._answers)

    def answer(self, operation: Operation) -> Info | None:
        """Do ``operation``, whose name must be one of ``names``."""
        return self._answers[operation.name](operation)

    # ---- passwords and sandboxes ----------------------------------------------------------------

    def _decrypt_password(self, asked: Operation) -> Info:
        clear = self._backend.decrypt(asked.fields.text("encryptedString"))
        return infos.AttributeValueInfo("", clear)

    def _write_message(self, asked: Operation) -> None:
        fields = asked.fields
        self._backend.say(fields.text("reservationId"), fields.text("message"), asked.subject)

    def _get_reservation_details(self, asked: Operation) -> Info:
        sandbox, targets = self._backend.sandbox(asked.fields.text("reservationId"))
        return self._describer.sandbox(sandbox, targets, asked.subject)

    # ---- resources ------------------------------------------------------------------------------

    def _get_resource_details(self, asked: Operation) -> Info:
        return self._describer.resource(self._named(asked), asked.subject)

    def _get_resource_live_status(self, asked: Operation) -> Info:
        resource = self._named(asked)
        return infos.ResourceLiveStatusInfo(resource.status, resource.status_text)

    def _set_resource_live_status(self, asked: Operation) -> None:
        self._set_status(self._named(asked, "resourceFullName"), asked)

    def _update_resource_address(self, asked: Operation) -> None:
        address = asked.fields.text("resourceAddress")
        self._backend.set_address(self._named(asked).name, address, asked.subject)

    def _update_connection_weight(self, asked: Operation) -> None:
        fields = asked.fields
        weight = fields.text("weight")
        if not weight.isdecimal() or len(weight) > len(str(2**31)):
            raise InputError(f"a weight is a whole number, not {weight[:20]!r}")
        self._backend.weigh(
            fields.text("resourceAFullPath"), fields.text("resourceBFullPath"), int(weight)
        )

    def _update_physical_connection(self, asked: Operation) -> None:
        fields = asked.fields
        self._backend.connect(
            fields.text("resourceAFullPath"),
            fields.text("resourceBFullPath"),
            replace=fields.holds("overrideExistingConnections"),
        )

    def _named(self, asked: Operation, field: str = "resourceFullPath") -> Resource:
        return self._backend.resource(asked.fields.text(field), asked.subject)

    def _set_status(self, resource: Resource, asked: Operation) -> None:
        status = asked.fields.text("liveStatusName")
        if not status:
            expected = "Online, Offline, Stopped, Error, Progress 30 …"
            raise InputError(f"no live status given for {resource.name!r}; expected {expected}")
        text = asked.fields.text("additionalInfo")
        self._backend.set_status(resource.name, status, text, asked.subject)

    def _get_resource_commands(self, asked: Operation) -> Info:
        resource = self._named(asked)
        return self._describer.commands(self._backend.shell_of(resource, asked.subject))

    # ---- services -------------------------------------------------------------------------------

    def _get_service_commands(self, asked: Operation) -> Info:
        """Of a service in use by its alias, of any other by the name of its shell."""
        name = asked.fields.text("serviceName")
        try:
            service = self._backend.resource(name, asked.subject)
        except NotFoundError:
            service = Resource(name=name, shell=name, model=name)
        shell = self._backend.shell_of(service, asked.subject)
        if shell is None:
            raise NotFoundError("service", name)
        return self._describer.commands(shell)

    def _set_service_live_status(self, asked: Operation) -> None:
        self._set_status(self._service(asked), asked)

    def _set_service_attributes_values(self, asked: Operation) -> None:
        self._set(self._service(asked), asked.fields.objects("attributeRequests"), asked.subject)

    def _service(self, asked: Operation) -> Resource:
        _, targets = self._backend.sandbox(asked.fields.text("reservationId"))
        services = {one.name: one.resource for one in targets if one.kind == "service"}
        alias = asked.fields.text("serviceAlias")
        if alias not in services:
            raise NotFoundError("service", alias, services)
        return services[alias]

    # ---- attributes -----------------------------------------------------------------------------

    def _get_attribute_value(self, asked: Operation) -> Info:
        resource = self._named(asked)
        shell = self._backend.shell_of(resource, asked.subject)
        name = full_name(resource, shell, asked.fields.text("attributeName"))
        declared = shell.attribute(name) if shell else None
        default = declared.default if declared else ""
        return infos.AttributeValueInfo(name, resource.attributes.get(name, default))

    def _set_attribute_value(self, asked: Operation) -> None:
        resource = self._named(asked)
        shell = self._backend.shell_of(resource, asked.subject)
        name = full_name(resource, shell, asked.fields.text("attributeName"))
        value = asked.fields.text("attributeValue")
        self._backend.set_attribute(resource.name, name, value, asked.subject)

    def _set_attributes_values(self, asked: Operation) -> None:
        """Set attributes of many resources; where a resource or an attribute is not there, none of them."""
        changes: list[Change] = []
        troubles: list[str] = []
        for request in asked.fields.objects("resourcesAttributesUpdateRequests"):
            name = request.text("ResourceFullName")
            try:
                resource = self._backend.resource(name, asked.subject)
                pairs = request.objects("AttributeNamesValues")
                changes += self._changes(resource, pairs, asked.subject)
            except ShelldockError as error:
                troubles.append(str(error))
        if troubles:
            raise InputError("; ".join(troubles))
        self._apply(changes, asked.subject)

    def _set(self, resource: Resource, pairs: list[Fields], subject: str) -> None:
        self._apply(self._changes(resource, pairs, subject), subject)

    def _changes(self, resource: Resource, pairs: list[Fields], subject: str) -> list[Change]:
        shell = self._backend.shell_of(resource, subject)
        changes: list[Change] = []
        troubles: list[str] = []
        for pair in pairs:
            try:
                name = full_name(resource, shell, pair.text("Name"))
            except NotFoundError as error:
                troubles.append(str(error))
            else:
                changes.append((resource.name, name, pair.value()))
        if troubles:
            raise InputError("; ".join(troubles))
        return changes

    def _apply(self, changes: list[Change], subject: str) -> None:
        for resource, attribute, value in changes:
            self._backend.set_attribute(resource, attribute, value, subject)


def full_name(resource: Resource, shell: Shell | None, name: str) -> str:
    """The full name of the attribute that a driver calls ``name``: the full name itself, or its last part.

    A full name that ``name`` equals comes first, then the model's own attribute, then any other (those of the
    family), then one that the shell declares and the resource does not have yet. Case does not matter. Raises
    ``NotFoundError`` with the attributes that are there.
    """
    declared = [attribute.name for attribute in shell.attributes] if shell else []
    known = list(dict.fromkeys([*resource.attributes, *declared]))
    folded = name.casefold()
    own = f"{resource.model}.{name}".casefold()
    exact = [one for one in known if one.casefold() == folded]
    models = [one for one in known if one.casefold() == own]
    others = [one for one in known if folded and one.casefold().endswith("." + folded)]
    for one in (*exact, *models, *others):
        return one
    hint = f"{resource.name!r} has {', '.join(known) or 'none'}"
    raise NotFoundError("attribute", name, known, hint=hint)
