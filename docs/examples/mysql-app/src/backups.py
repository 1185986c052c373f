"""The backups of one app: files of SQL in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from server import AppError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
END = "-- end of backup"


class Backups:
    """Only whole ones are there: a file gets its name when it is complete, and says so in its last line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _file(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise AppError(
                f"'{name}' is no name of a backup; use letters, digits, '_', '-' and '.'"
            )
        return self._folder / f"{name}.sql"

    def names(self) -> list[str]:
        """What there is, oldest first."""
        found = sorted(self._folder.glob("*.sql"), key=lambda file: file.stat().st_mtime_ns)
        return [file.stem for file in found]

    def write(self, name: str, statements: Iterable[str]) -> Path:
        """Keep statements under a name, in place of what had it."""
        file = self._file(name)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        try:
            with part.open("w", encoding="utf-8", newline="\n") as output:
                output.writelines(f"{statement};\n" for statement in statements)
                output.write(f"{END}\n")
                output.flush()
                os.fsync(output.fileno())
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        return file

    def read(self, name: str) -> list[str]:
        """The statements of a backup."""
        try:
            text = self._file(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            known = ", ".join(self.names()) or "none"
            raise AppError(f"there is no backup '{name}'; there are: {known}") from None
        *lines, end, _ = f"\n{text}".split("\n")
        if end != END:
            raise AppError(f"backup '{name}' is not complete; restore another one")
        return [line[: -len(";")] for line in lines if line]

    def remove(self) -> None:
        """Remove all of them, and the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
