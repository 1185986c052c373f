"""A package index of this machine (PEP 503), whose tiny wheels are made in the test that needs them."""

from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from collections.abc import Iterable, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self


class LocalIndex:
    """Serves the wheels that ``add`` makes, from a thread; ``asked`` lists the paths that were asked for.

    Give uv a cache folder of its own (``UV_CACHE_DIR``), as ports are used again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        (folder / "simple").mkdir(parents=True)
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address for ``--index-url``."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/simple"

    @property
    def wheels(self) -> Path:
        """The folder of all wheels, for ``--find-links``."""
        return self.folder / "simple"

    def __enter__(self) -> Self:
        handler = partial(_Handler, asked=self.asked, directory=str(self.folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Be unreachable from now on."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._thread = None

    def add(
        self,
        name: str,
        version: str,
        *,
        requires: Iterable[str] = (),
        files: Mapping[str, str] | None = None,
        scripts: Mapping[str, str] | None = None,
        python: str = ">=3.7",
    ) -> Path:
        """Release a wheel.

        :param files: its modules by path; by default one named like it that knows its ``VERSION``.
        :param scripts: console scripts, ``{"hello": "hello:main"}``.
        """
        module = name.replace("-", "_")
        info = f"{module}-{version}.dist-info"
        content = dict(files if files is not None else {f"{module}.py": f"VERSION = {version!r}\n"})
        content[f"{info}/METADATA"] = "".join(
            f"{line}\n"
            for line in (
                "Metadata-Version: 2.1",
                f"Name: {name}",
                f"Version: {version}",
                f"Requires-Python: {python}",
                *(f"Requires-Dist: {one}" for one in requires),
            )
        )
        content[f"{info}/WHEEL"] = (
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        if scripts:
            lines = "".join(f"{key} = {value}\n" for key, value in scripts.items())
            content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}"
        content[f"{info}/RECORD"] = _record(content, f"{info}/RECORD")
        folder = self.folder / "simple" / name
        folder.mkdir(exist_ok=True)
        wheel = folder / f"{module}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in content.items():
                archive.writestr(path, text)
        links = "".join(
            f'<a href="{one.name}">{one.name}</a><br>' for one in sorted(folder.glob("*.whl"))
        )
        (folder / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
        return wheel


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: object, asked: list[str], directory: str) -> None:
        self._asked = asked
        super().__init__(*arguments, directory=directory)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._asked.append(self.path)
        super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def _record(content: Mapping[str, str], own: str) -> str:
    lines = []
    for path, text in content.items():
        digest = (
            base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        )
        lines.append(f"{path},sha256={digest},{len(text.encode())}\n")
    return "".join([*lines, f"{own},,\n"])
