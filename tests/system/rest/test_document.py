"""The server does what its OpenAPI document says, whatever it is sent and whoever sends it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.serving import Server

FOLDER = Path(__file__).parent


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("role", ["admin", "user", "observer"])
def test_what_the_document_says_is_what_the_server_does(
    server: Server, role: str, long: bool
) -> None:
    # users and observers are refused most of what would follow from one answer to the next
    phases = "coverage,fuzzing,stateful" if role == "admin" else "coverage,fuzzing"
    how = f"--phases {phases} --max-examples {200 if long else 6} --request-timeout 90"
    more = "--continue-on-failure --no-color --warnings off"
    if not long:  # the short form asks the same every time; the long one finds what is new
        more += " --seed 1"
    program = Path(sys.executable).parent / "schemathesis"
    place = f"{server.url}/api/openapi.json"
    settings = FOLDER / "schemathesis.toml"
    done = subprocess.run(
        [program, "--config-file", settings, "run", place, *how.split(), *more.split()],
        cwd=server.home,
        env=os.environ
        | {
            "PYTHONPATH": str(FOLDER.parents[2]),
            "SCHEMATHESIS_HOOKS": "tests.system.rest.served",
            "SERVED_HOME": str(server.home),
            "SERVED_ROLE": role,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert httpx.get(f"{server.url}/api/health").status_code == 200
    ours_to_mend = re.findall(
        r"^.*(?:GET|POST|PUT|PATCH|DELETE|OPTIONS) /.*$", server.log.read_text(), re.M
    )
    assert ours_to_mend == []
