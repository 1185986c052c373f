"""Indexes that are not open to everybody: behind a password, or with a certificate that nobody vouches for."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.index import LocalIndex
from tests.workshop import Workshop, target

from shelldock import AsyncHost
from shelldock.errors import EnvironmentFailed
from shelldock.paths import Paths
from shelldock.settings import load

SECRET = "s3cret-of-the-lab"
MORE = "def version(self, context):\n    import alpha\n    return alpha.VERSION"


class Guarded(SimpleHTTPRequestHandler):
    """Asks for the password of ``ann``."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") == wanted:
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="lab"')
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


class Open(SimpleHTTPRequestHandler):
    """Asks nobody."""

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def served(
    folder: Path, handler: type[SimpleHTTPRequestHandler], certificate: Path | None = None
) -> Iterator[str]:
    """The address of a folder, without its scheme."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}/simple"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a release of ``alpha``, and nothing in uv's cache."""
    for name in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    LocalIndex(tmp_path / "index").add("alpha", "1.0")
    return tmp_path / "index"


async def version(paths: Paths, workshop: Workshop, **settings: str) -> str:
    """What a driver finds that requires ``alpha``, with these settings of environments."""
    told = {f"SHELLDOCK_PLUGINS__ENVIRONMENT__{name}": text for name, text in settings.items()}
    async with AsyncHost(load(None, told), paths=paths) as host:
        box = target(host, workshop.shell(more=MORE, requirements="alpha\n"))
        return (await host.execute(box, "version")).result or ""


def written(*folders: Path) -> str:
    """All logs below these folders."""
    logs = (file for folder in folders for file in folder.rglob("*.log"))
    return "".join(file.read_text(errors="replace") for file in logs)


async def test_an_index_behind_a_password_is_used_and_the_password_is_in_no_log_v5(
    paths: Paths, workshop: Workshop, index: Path
) -> None:
    with served(index, Guarded) as place:
        found = await version(paths, workshop, INDEX_URL=f"http://ann:{SECRET}@{place}")
    assert found == "1.0"
    logs = written(paths.cache, paths.data, paths.state)
    assert "ann:****@" in logs
    assert SECRET not in logs


async def test_a_wrong_password_is_refused_without_being_told_v5(
    paths: Paths, workshop: Workshop, index: Path
) -> None:
    with (
        served(index, Guarded) as place,
        pytest.raises(EnvironmentFailed, match=r"401|nauthorized|credentials") as refused,
    ):
        await version(paths, workshop, INDEX_URL=f"http://ann:wrong-{SECRET}@{place}")
    assert SECRET not in str(refused.value) + written(paths.cache, paths.data, paths.state)


async def test_a_certificate_that_nobody_vouches_for_is_taken_from_a_trusted_host_only_v5(
    paths: Paths, workshop: Workshop, index: Path, tmp_path: Path
) -> None:
    with served(index, Open, self_signed(tmp_path)) as place:
        with pytest.raises(EnvironmentFailed, match="certificate"):
            await version(paths, workshop, INDEX_URL=f"https://{place}")
        trusted = await version(
            paths, workshop, INDEX_URL=f"https://{place}", TRUSTED_HOSTS="127.0.0.1"
        )
    assert trusted == "1.0"
