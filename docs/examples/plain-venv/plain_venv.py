"""Makes environments with the standard library's venv and with pip, and with nothing else."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec.structs import replace

from shelldock import hookimpl
from shelldock.building import current_step
from shelldock.errors import EnvironmentFailed
from shelldock.model import Interpreter, Needs

SHEBANG = '#!/bin/sh\n\'\'\'exec\' "$(dirname "$(realpath "$0")")/python" "$0" "$@"\n\' \'\'\'\n'
"""Starts the Python beside a script, wherever that is, and is a text without effect to Python itself."""


@hookimpl
def shelldock_python(asked):
    """The Python that Shelldock runs on, which surely is one that has venv."""
    if asked is not None:
        return None
    return Interpreter(
        path=Path(os.path.realpath(sys.executable)),
        version=platform.python_version(),
        why="it runs Shelldock",
    )


@hookimpl
def shelldock_needs(shell, python):
    """What pip would install now."""
    needs = Needs(python=str(python.path), version=python.version)
    log = current_step.get().log
    with tempfile.TemporaryDirectory() as room:
        file = requirements(shell.driver, Path(room))
        asked = [*(("-r", file) if file.exists() else ()), *shell.driver.tools]
        if not asked:
            return needs
        environment, report = Path(room, "venv"), Path(room, "report.json")
        venv(python.path, environment, log)
        what = ("install", "--dry-run", "--report", report, *asked)
        pip(environment, shell.name, "resolve", log, *what)
        found = json.loads(report.read_text())["install"]
        pins = tuple(sorted(pin(one) for one in found))
        return replace(needs, pins=pins, options=tuple(options(file)) if file.exists() else ())


@hookimpl
def shelldock_build(needs, folder, log):
    """Exactly the pins, in an environment that does not know where it lies."""
    venv(needs.python, folder, log)
    if needs.pins:
        with tempfile.TemporaryDirectory() as room:
            pins = Path(room, "pins.txt")
            pins.write_text("\n".join([*needs.options, *needs.pins]))
            pip(folder, folder.name, "build", log, "install", "--no-deps", "-r", pins)
    for script in (folder / "bin").iterdir():
        make_movable(script, folder)
    return Path("bin", "python")


def requirements(driver, room):
    """The file that says what a driver requires; some shells keep its lines elsewhere."""
    if driver.requirements is None:
        return driver.source / "requirements.txt"
    file = room / "requirements.txt"
    file.write_text("\n".join(driver.requirements))
    return file


def venv(python, folder, log):
    """A virtual environment with pip."""
    run(folder.name, "build", log, python, "-m", "venv", folder)


def pip(folder, name, step, log, *arguments):
    """Run the pip of an environment."""
    quiet = ("--disable-pip-version-check", "--no-input", "--quiet")
    run(name, step, log, folder / "bin" / "python", "-m", "pip", *quiet, *arguments)


def run(name, step, log, *command):
    """Run a program; its last line is the reason where it fails. It is ended when nobody waits any more."""
    at = current_step.get()
    with log.open("a+") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        while at is None or not at.given_up.is_set():
            try:
                status = process.wait(0.1)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            process.kill()
            status = process.wait()
        output.seek(0)
        lines = [line for line in output.read().splitlines() if line.startswith("ERROR")]
    if status:
        reason = lines[-1] if lines else f"{command[0]} ended with status {status}"
        raise EnvironmentFailed(name, step, reason)


def pin(found):
    """``name==version``, or ``name @ url`` where the requirements file has a URL."""
    name, version = found["metadata"]["name"], found["metadata"]["version"]
    url = found["download_info"]["url"]
    return f"{name} @ {url}" if found["is_direct"] else f"{name}=={version}"


def options(file):
    """The lines that tell pip where to look; folders are relative to the file, so they become absolute."""
    for line in file.read_text().splitlines():
        name, _, value = line.strip().replace("=", " ", 1).partition(" ")
        if name in ("-f", "--find-links") and "://" not in value:
            yield f"--find-links {file.parent / value.strip()}"
        elif name.startswith("-") and name not in ("-r", "--requirement", "-c", "--constraint"):
            yield line.strip()


def make_movable(script, folder):
    """Let a script find its Python beside itself; what activates an environment in a shell nobody needs here."""
    if script.is_symlink():
        return
    start = f"#!{folder}/bin/".encode()
    content = script.read_bytes()
    if content.startswith(start):
        script.write_bytes(SHEBANG.encode() + content.partition(b"\n")[2])
    elif str(folder).encode() in content:
        script.unlink()
