"""What is wrong with a shell, or will be: the default of ``shelldock shell check`` (L3, D8)."""

from __future__ import annotations

from shelldock.hookspecs import hookimpl
from shelldock.model import Finding, Shell
from shelldock_cloudshell.checks.rules import Place, finding


@hookimpl(trylast=True)
def shelldock_check_shell(shell: Shell | None) -> list[Finding] | None:
    """Check what CloudShell's formats declare against the driver's code; nothing of it is imported."""
    if shell is None:
        return None
    if shell.driver is None:
        message = (
            "the shell has no driver, so it takes no commands; if that is not meant, pack it again"
        )
        return [finding("no-driver", Place(shell.path), message)]
    from shelldock_cloudshell.checks import whole  # parsers, which nobody else needs

    return list(whole.check(shell.driver))
