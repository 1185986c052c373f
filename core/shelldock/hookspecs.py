"""The questions that plugins answer, the events they hear, and what they may contribute.

``None`` is "no opinion": the next plugin is asked, our default last. Hooks are synchronous and quick,
except ``shelldock_python``, ``shelldock_needs`` and ``shelldock_build``, which run in threads and may take minutes, and
``shelldock_check_shell``, which runs in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

from shelldock.model import (
    Call,
    Environment,
    Execution,
    Finding,
    Instance,
    Interpreter,
    Needs,
    Node,
    Sandbox,
    Shell,
    Target,
)

if TYPE_CHECKING:
    from typer import Typer

    from shelldock.fabric import Fabric
    from shelldock.host import AsyncHost
    from shelldock.services import Service

hookspec = pluggy.HookspecMarker("shelldock")
hookimpl = pluggy.HookimplMarker("shelldock")

# ---- questions: the first answer that is not None wins -------------------------------------------


@hookspec(firstresult=True)
def shelldock_read_shell(path: Path) -> Shell | None:
    """Read the shell that lies at ``path``.

    Asked when a shell is added, run from a path, or found installed.

    :param path: an existing file or folder. An archive is unpacked by who answers, into a folder that stays.
    :returns: the shell, or None where this is no format of yours. Raise ``ShellError`` where it is one, but broken.

    Default: CloudShell's packages, project folders and driver folders.
    """


@hookspec(firstresult=True)
def shelldock_scope(target: Target) -> str | None:
    """Name the key under which targets share one driver instance.

    Asked by the host for every command, before it looks for an instance.

    :param target: what the command is for, with the sandbox it is used in.

    Default: a resource shares with all of its root resource; an app and a service have one in each sandbox.
    """


@hookspec(firstresult=True)
def shelldock_place(shell: Shell, target: Target, nodes: Sequence[Node]) -> str | None:
    """Choose the node on which an instance starts.

    Asked by the host when no instance for the scope of ``target`` is alive anywhere.

    :param target: what the command is for that needs the instance.
    :param nodes: those that are up and have a free slot; never empty.
    :returns: the name of one of ``nodes``.

    Default: the one with the most free slots.
    """


@hookspec(firstresult=True)
def shelldock_python(shell: Shell, asked: str | None) -> Interpreter | None:
    """Choose the Python that a driver runs on.

    Asked in a thread, before ``shelldock_needs`` and as often as that; and when somebody wants to know.

    :param shell: has a driver.
    :param asked: what the user asked for: a version (``3.9``) or a path; None: yours to choose.
    :returns: the interpreter, with the reason for the choice. Raise ``PythonError`` where none will do.

    Default: what was asked for, else what the settings say, else what the metadata ask for. Python 2 does not run here.
    """


@hookspec(firstresult=True)
def shelldock_needs(shell: Shell, python: Interpreter) -> Needs | None:
    """Resolve what a driver requires, exactly, as the index has it now.

    Asked in a thread when an instance starts and no answer younger than the validity period is known.

    :param shell: has a driver.
    :param python: what it runs on, which the needs name again.
    :returns: the needs. Raise ``EnvironmentFailed`` with the resolver's own reason.

    Default: uv resolves ``requirements.txt``.
    """


@hookspec(firstresult=True)
def shelldock_build(needs: Needs, folder: Path, log: Path) -> Path | None:
    """Make the virtual environment for ``needs``.

    Asked in a thread, once for equal needs, under a lock. The folder is moved into place after you return,
    and thrown away if you raise.

    :param folder: exists and is empty; it will be renamed, so nothing in it may hold its path.
    :param log: append what the installer prints; its last line is shown as progress.
    :returns: the environment's interpreter, relative to ``folder``.

    Default: ``uv venv`` and ``uv pip install``, bytecode compiled.
    """


@hookspec(firstresult=True)
def shelldock_concurrency(shell: Shell, target: Target) -> float | None:
    """Say how many commands an instance runs at the same time.

    Asked by the node when an instance starts.

    :returns: 1 or more; ``NO_LIMIT`` for as many as come.

    Default: 1; no limit where the shell supports concurrent commands.
    """


@hookspec(firstresult=True)
def shelldock_idle_limit(instance: Instance) -> float | None:
    """Say how many seconds an instance may stay without work before it is stopped.

    Asked by the node soon after an instance fell idle, once each time; never while anything is queued or running.

    :returns: seconds; ``NO_LIMIT`` for never.

    Default: 600.
    """


@hookspec(firstresult=True)
def shelldock_context(call: Call) -> dict[str, object] | None:
    """Build what the driver gets as ``context``.

    Asked by the host for every command, and by the node before ``initialize`` (then ``call.command`` is that).

    :param call: complete but for its context.
    :returns: JSON-able data; a dictionary with a key ``$class`` becomes an object of that class in the driver.

    Default: the classes of cloudshell-shell-core, filled from the target, its sandbox and the connectivity.
    """


# ---- events: everybody hears them, nobody's failure stops the host ------------------------------


@hookspec
def shelldock_instance_changed(instance: Instance) -> None:
    """Hear that an instance started, became ready, busy or idle, stops, or is gone.

    Told by the node, at once, on the host's event loop: be quick.
    """


@hookspec
def shelldock_execution_changed(execution: Execution) -> None:
    """Hear that an execution was accepted, started, wrote a message, or ended.

    Told by the host, at once, on the host's event loop: be quick.
    """


@hookspec
def shelldock_sandbox_changed(sandbox: Sandbox) -> None:
    """Hear that a sandbox started, was extended, is ending, or ended.

    Told by the host, at once, on its event loop: be quick.
    """


@hookspec
def shelldock_environment_changed(environment: Environment) -> None:
    """Hear that an environment is being resolved or built, is ready, failed, or was removed.

    Told by the node, on the host's event loop: be quick. While it builds, ``note`` is the builder's last line.
    """


# ---- contributions: all answers are used --------------------------------------------------------


@hookspec
def shelldock_shells() -> Sequence[Path] | None:
    """Name folders or packages of shells that are there without having been added.

    Asked once, when the catalog is first read. Default: none (entry points ``shelldock.shells`` need no hook).
    """


@hookspec
def shelldock_check_shell(path: Path, shell: Shell | None) -> Sequence[Finding] | None:
    """Find what is wrong with a shell, or will be: in its declarations, its code, its requirements.

    Asked in a thread when somebody checks the shell, never on the way of a command. Whoever raises is a finding too.

    :param path: the file or folder that the shell was read from.
    :param shell: as it was read; None where it could not be, which is a finding already. The sources of its driver
        are a folder even where the shell is an archive.
    :returns: findings in any order, with rules of your own names.

    Default: drift between metadata and code, Python 2, requirements without an upper bound, imports that no requirement
    covers; see ``docs/reference/checks.md``.
    """


@hookspec
def shelldock_fabrics() -> dict[str, Fabric] | None:
    """Offer engines that join machines, by the name that the setting ``fabric`` chooses.

    Asked once, when the host starts. Default: ``local``, this machine alone.
    """


@hookspec
def shelldock_services(host: AsyncHost) -> Sequence[Service] | None:
    """Offer services that live as long as the host: listeners, schedulers.

    Asked once, when the host starts, before any command. Default: the API that drivers dial.
    """


@hookspec
def shelldock_commands(app: Typer) -> None:
    """Add commands to the command line.

    Asked when ``shelldock`` starts, before the arguments are read. Default: ``serve``.
    """
