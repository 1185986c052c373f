"""A shell's folder as one file, to be sent elsewhere."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

from shelldock.errors import NotFoundError, ShellError

MOST = 256 * 2**20
"""Bytes of the files in a folder, before they are packed."""


def foreign(folder: str, names: list[str]) -> list[str]:
    """What of a folder is no part of a shell: bytecode, version control, environments."""
    return [
        name
        for name in names
        if name in ("__pycache__", ".git", ".tox", ".venv")
        or name.endswith((".pyc", ".pyo"))
        or (Path(folder) / name / "pyvenv.cfg").exists()
    ]


def packed(path: Path) -> bytes:
    """The shell at ``path`` as a package: a file as it is, a folder as a zip archive of what belongs to it.

    Raises ``NotFoundError``, and ``ShellError`` where it cannot be read or is too large.
    """
    if not path.exists():
        raise NotFoundError("file or folder", str(path))
    try:
        return _archive(path) if path.is_dir() else path.read_bytes()
    except OSError as error:
        raise ShellError(path, f"cannot be read: {error.strerror or error}") from error


def _archive(root: Path) -> bytes:
    buffer = io.BytesIO()
    size = 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, folders, files in os.walk(root):
            inside = [*folders, *files]
            left_out = foreign(folder, inside)
            folders[:] = sorted(one for one in folders if one not in left_out)
            for name in sorted(set(files) - set(left_out)):
                file = Path(folder, name)
                size += file.stat().st_size
                if size > MOST:
                    raise ShellError(root, f"is larger than {MOST} bytes; is it a shell's folder?")
                archive.write(file, file.relative_to(root))
    return buffer.getvalue()
