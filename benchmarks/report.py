"""Writes what a run measured. ``python -m benchmarks.report FOLDER`` draws kept results again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from benchmarks.plots import draw
from benchmarks.results import Results
from benchmarks.table import page

RESULTS: Final = "results.json"


def write(results: Results, folder: Path) -> None:
    """Write all of it; what was there before is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    results.write(folder / RESULTS)
    (folder / "table.md").write_text(page(results) + "\n")
    draw(results, folder)


if __name__ == "__main__":
    there = Path(sys.argv[1])
    write(Results.read(there / RESULTS), there)
