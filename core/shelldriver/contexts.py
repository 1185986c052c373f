"""What a driver gets as ``context``: plain data turned into the objects that drivers expect."""

from __future__ import annotations

import importlib
import inspect
from functools import partial
from typing import Any, Callable, Dict, Tuple

_HOME = "cloudshell.shell.core.driver_context"

_RESOURCE = (
    "id name fullname type address model family description attributes app_context "
    "shell_standard shell_standard_version"
)

ATTRIBUTES = {
    "InitCommandContext": "connectivity resource",
    "AutoLoadCommandContext": "connectivity resource",
    "UnreservedResourceCommandContext": "connectivity resource",
    "ResourceCommandContext": "connectivity resource reservation connectors",
    "ResourceRemoteCommandContext": "connectivity resource remote_reservation remote_endpoints",
    "ConnectivityContext": (
        "server_address cloudshell_api_port quali_api_port admin_auth_token cloudshell_version "
        "cloudshell_api_scheme use_webapi_endpoint"
    ),
    "ResourceContextDetails": _RESOURCE,
    "AppContext": "app_request_json deployed_app_json",
    "Connector": (
        "source target target_family target_model target_type target_attributes direction alias "
        "attributes connection_type"
    ),
    "ReservationContextDetails": (
        "reservation_id environment_name environment_path domain description owner_user owner_email "
        "saved_sandbox_name saved_sandbox_id running_user cloud_info_access_key"
    ),
}
"""The classes of cloudshell-shell-core and their attributes, for environments that lack it."""

_NESTED = (dict, list)

Maker = Callable[[Dict[str, Any]], Any]
"""Makes an object with these attributes."""

Accepts = Tuple[Tuple[str, str, bool], ...]
"""What a constructor takes: its name there, its name in the data, whether it must be given."""


class Plain:
    """An object whose attributes are what it was given."""

    def __init__(self, attributes: Dict[str, Any]) -> None:
        self.__dict__ = attributes

    def __repr__(self) -> str:
        return "<%s %r>" % (type(self).__name__, self.__dict__)


class CancellationContext:
    """What tells a command that somebody wishes it to end: ``is_cancelled`` turns true."""

    def __init__(self) -> None:
        self.is_cancelled = False


class Contexts:
    """Builds contexts from the environment's own classes, or from equals where it has none.

    Make it before forking: the classes are imported here.

    :param note: writes a line to the log.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._home = _home(note)
        # All of them now: what an instance finds made, it shares with its siblings.
        self._makers = {name: self._maker(name) for name in ATTRIBUTES}
        self.cancellation: Callable[[], Any] = getattr(
            self._home, "CancellationContext", CancellationContext
        )

    def build(self, value: Any) -> Any:
        """``value`` with each dictionary that names its ``$class`` turned into an object of it.

        What is passed is used up: a driver may change its context, so each is made of data that nobody else has.
        """
        if type(value) is list:
            return [self.build(one) for one in value]
        if type(value) is not dict:
            return value
        for key, one in value.items():
            if type(one) in _NESTED:
                value[key] = self.build(one)
        name = value.pop("$class", None)
        if name is None:
            return value
        maker = self._makers.get(name)
        if maker is None:
            maker = self._makers[name] = self._maker(name)
        return maker(value)

    def _maker(self, name: str) -> Maker:
        theirs = getattr(self._home, name, None)
        if isinstance(theirs, type):
            return partial(_constructed, theirs, _accepted(theirs, name))
        attributes = ATTRIBUTES.get(name, "").split()
        return type(str(name), (Plain,), dict.fromkeys(attributes))


def _constructed(theirs: type, accepts: Accepts, attributes: Dict[str, Any]) -> Any:
    given = {
        parameter: attributes.get(key)
        for parameter, key, needed in accepts
        if needed or key in attributes
    }
    made = theirs(**given)
    for key, value in attributes.items():
        try:
            setattr(made, key, value)
        except AttributeError:  # A property without a setter: the constructor has seen to it.
            continue
    return made


def _home(note: Callable[[str], None]) -> Any:
    try:
        return importlib.import_module(_HOME)
    except ImportError:
        return None
    except Exception as error:  # A stranger's package: broken is as good as absent, and said.
        note("%s cannot be imported, its equals are used: %r" % (_HOME, error))
        return None


def _accepted(kind: type, name: str) -> Accepts:
    """What the constructor takes: releases differ, and the oldest spell their names in camel case."""
    known = {_folded(key): key for key in ATTRIBUTES.get(name, "").split()}
    try:
        parameters = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(
        (one.name, known.get(_folded(one.name), one.name), one.default is one.empty)
        for one in parameters
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
    )


def _folded(name: str) -> str:
    return name.replace("_", "").lower()
