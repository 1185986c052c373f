"""Gives each user of a resource an instance of their own."""

from shelldock import hookimpl


@hookimpl
def shelldock_scope(target):
    """Answer for resources that are used in a sandbox; everything else keeps its default."""
    if target.kind == "resource" and target.sandbox is not None:
        return f"{target.resource.root} of {target.sandbox.owner}"
    return None
