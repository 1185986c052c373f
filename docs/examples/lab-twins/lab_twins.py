"""Lets drivers talk to simulators in place of devices, by rewriting the addresses in what they are told."""

from collections.abc import Generator, Mapping

from shelldock import hookimpl
from shelldock.model import Value


class LabTwins(Value, frozen=True, kw_only=True):
    """A twin is whatever answers like the device, somewhere else."""

    addresses: Mapping[str, str] = {}
    """For the address of each device that of its twin; devices without one are left alone."""

    @hookimpl(wrapper=True)
    def shelldock_context(self) -> Generator[None, dict[str, object], dict[str, object]]:
        """What the others answer, with every text in it that is the address of a device replaced."""
        context = yield
        return {key: rewritten(value, self.addresses) for key, value in context.items()}


def rewritten(value: object, addresses: Mapping[str, str]) -> object:
    """A value with the texts in it replaced: the address itself, attributes, the other ends of connections."""
    if isinstance(value, str):
        return addresses.get(value, value)
    if isinstance(value, dict):
        return {key: rewritten(one, addresses) for key, one in value.items()}
    if isinstance(value, list):
        return [rewritten(one, addresses) for one in value]
    return value
