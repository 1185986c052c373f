"""Runs uv: its output goes to the log, its reason for failing into the error."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from shelldock.building import current_step

LOOK: Final = 0.1
"""Seconds between two looks whether anybody still waits."""

LONGEST: Final = 2000
"""Characters of a reason; the log has it all."""

_NOT_OURS: Final = frozenset(
    {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON"}
)


_FRAME: Final = re.compile(r"^[\s×╰─▶├│]+")
"""What older versions of uv draw before each line."""


_PASSWORD: Final = re.compile(r"(://[^/\s:@]+:)[^/\s@]+@")


_NO_SOLUTION: Final = "No solution found when resolving dependencies"


class Failed(Exception):
    """uv ended with an error; the message is its own reason in one line."""


def run(binary: str, arguments: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
    """Run uv until it ends; ended itself when nobody waits for it any more. Raises ``Failed``."""
    said = f"uv {hidden(' '.join(arguments))}"
    more = ("--color", "never", "--no-progress", "--no-python-downloads")
    attend((binary, *arguments, *more), said, log, environ)


def attend(words: Sequence[str], said: str, log: Path, environ: Mapping[str, str]) -> None:
    """Run a program as ``run`` does; ``said`` is what the log calls it. Raises ``Failed``."""
    step = current_step.get()
    clean = {name: value for name, value in environ.items() if name not in _NOT_OURS}
    with log.open("ab") as output, tempfile.TemporaryDirectory(prefix="shelldock-") as neutral:
        output.write(f"$ {said}\n".encode())
        output.flush()
        start = output.tell()
        process = subprocess.Popen(
            words,
            cwd=neutral,  # uv reads the settings of the project that it is called in
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # builds of distributions have children of their own
        )
        try:
            while True:
                try:
                    status = process.wait(LOOK)
                    break
                except subprocess.TimeoutExpired:
                    if step is not None and step.given_up.is_set():
                        raise Failed("nobody waits for it any more") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if status:
        raise Failed(hidden(reason(_tail(log, start))) or f"{words[0]} ended with status {status}")


def hidden(text: str) -> str:
    """``text`` without the passwords of the URLs in it."""
    return _PASSWORD.sub(r"\1****@", text)


def binary(setting: str) -> str:
    """The uv to run: the one set, or the one that was installed with us. Raises ``Failed``."""
    if setting:
        return setting
    from uv import find_uv_bin  # optional where another uv is set

    try:
        return find_uv_bin()
    except FileNotFoundError as error:
        raise Failed("uv is not installed: set 'plugins.environment.uv' to its path") from error


def reason(output: str) -> str:
    """uv's own words for what failed, in one line: error, causes and the first hint, and what a build complained of."""
    parts: dict[str, list[str]] = {"error": [], "stdout": [], "stderr": [], "hint": []}
    part = ""
    for raw in output.splitlines():
        line = _FRAME.sub("", raw).rstrip()
        if line.startswith("hint: ") and part:
            part = "hint" if not parts["hint"] else "stdout"
        elif line in ("[stdout]", "[stderr]") and part:
            part = line.strip("[]")
        elif raw.startswith("error: ") or raw.lstrip().startswith("×"):
            part = "error"
        elif part == "hint" and not line:
            part = "stdout"
        if part and line and not re.fullmatch(r"\^+", line):
            parts[part].append(line)
    text = " ".join(_causes(parts["error"]) + _complaint(parts["stderr"]) + parts["hint"])
    text = text or output.strip().rpartition("\n")[2]
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _causes(lines: Sequence[str]) -> list[str]:
    """Each cause as a clause; that there is no solution says less than why."""
    text = re.sub(rf"^{_NO_SOLUTION}:\n", "", "\n".join(lines))  # older versions have no "cause:"
    clauses = [one.strip() for one in re.split(r"(?m)^(?:error|cause): ", text)]
    said = [one.replace("\n", " ") for one in clauses if one and one != _NO_SOLUTION]
    return [": ".join(said)]


def _complaint(lines: Sequence[str]) -> list[str]:
    """The line of a build's output that looks most like its reason: a traceback's last, a compiler's first."""
    if not lines:
        return []
    errors = [line for line in lines if "error: " in line]
    raised = any(line.startswith("Traceback ") for line in lines)
    return [f"({lines[-1] if raised or not errors else errors[0]})"]


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")
