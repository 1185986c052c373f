"""The OpenAPI document, as exact as what reads requests and writes answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

PLACE: Final = "#/components/schemas/{name}"


class Upload(Operation):
    """An operation whose body is a file."""

    def __post_init__(self) -> None:
        """Say so; Litestar sees no body where the handler reads it by itself."""
        content = OpenAPIMediaType(
            schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        )
        self.request_body = RequestBody(content={"application/zip": content}, required=True)


class Document(JsonRenderPlugin):
    """Serves the document with msgspec's own schemas: Litestar's lack the bounds of what may be null, and more."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        schemas = openapi_schema["components"]["schemas"]
        exact = _exact(request.app)
        schemas.update({name: exact[name] for name in schemas.keys() & exact.keys()})
        operations = [one for path in openapi_schema["paths"].values() for one in path.values()]
        for parameter in [it for one in operations for it in one.get("parameters", ())]:
            if parameter["schema"].get("format") == "uri":  # Litestar's word for names with slashes
                del parameter["schema"]["format"]
        return super().render(request, openapi_schema)


def _exact(app: Litestar) -> dict[str, Any]:
    handlers = [one for route in app.routes for one in getattr(route, "route_handlers", ())]
    types = {part for one in handlers if isinstance(one, HTTPRouteHandler) for part in _types(one)}
    _, exact = msgspec.json.schema_components(types, schema_hook=_plain, ref_template=PLACE)
    return exact


def _types(handler: HTTPRouteHandler) -> set[type]:
    """What of ours a handler takes and gives."""
    fields = (handler.parsed_data_field, handler.parsed_fn_signature.return_type)
    annotations = [one.annotation for one in fields if one is not None]
    inner = [part for one in annotations for part in (one, *get_args(one))]
    return {one for one in inner if isinstance(one, type) and issubclass(one, msgspec.Struct)}


def _plain(type: type) -> dict[str, Any]:
    return {"type": "string"} if issubclass(type, Path) else {"description": "Any JSON."}
