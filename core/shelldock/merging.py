"""Equal pages of instances, which the kernel keeps once where it is let (KSM)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

RUN: Final = Path("/sys/kernel/mm/ksm/run")
"""1 where the kernel looks for equal pages."""


def obstacle(run: Path = RUN) -> str:
    """What keeps the kernel from merging anything, and what to do about it; empty where nothing does."""
    try:
        running = run.read_text().strip()
    except OSError:
        return "this kernel has no KSM; it takes Linux 6.4 or later, built with CONFIG_KSM"
    if running == "1":
        return ""
    return f"KSM does not run; as root: echo 1 > {run}"
