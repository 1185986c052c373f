"""Which targets share a driver instance: all of one root resource; each app and service of a sandbox has its own."""

from __future__ import annotations

from shelldock.hookspecs import hookimpl
from shelldock.model import Target


@hookimpl(trylast=True)
def shelldock_scope(target: Target) -> str:
    """``resource/<root>``, or ``sandbox/<id>/<kind>/<name>``; an app or service without a sandbox: ``<kind>/<name>``.

    Source: checklist rows I1 and I13.
    """
    if target.kind == "resource":
        return f"resource/{target.resource.root}"
    of_sandbox = f"sandbox/{target.sandbox.id}/" if target.sandbox is not None else ""
    # Ports of an app are sub-resources of it, as those of a resource are.
    return (
        f"{of_sandbox}{target.kind}/{target.resource.root if target.kind == 'app' else target.name}"
    )
