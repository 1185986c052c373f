"""Other ways: ``multiprocess`` with spawn, ``execnet``, and ``python -m venv`` with pip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import execnet

from benchmarks.measure import Plan, Samples, memory_below, timed

SERVE = """
import sys
sys.path.insert(0, channel.receive())
from driver import BenchmarkDriver
driver = BenchmarkDriver()
driver.initialize(None)
while True:
    command, inputs = channel.receive()
    channel.send(getattr(driver, command)(None, **inputs))
"""


def environment(plan: Plan, folder: Path) -> Path:
    """An environment with what the driver needs and ``multiprocess``; its interpreter."""
    uv = [sys.executable, "-m", "uv"]
    python = folder / "bin/python"
    requirements = plan.source / "requirements.txt"
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    subprocess.run(
        [
            *uv,
            "pip",
            "install",
            "-q",
            "--compile-bytecode",
            "--python",
            python,
            "-r",
            requirements,
            "multiprocess",
        ],
        check=True,
    )
    return python


def multiprocess(plan: Plan, python: Path) -> Samples:
    """``multiprocess`` with the start method ``spawn``."""
    samples = Samples()
    arguments = [str(plan.source), str(plan.instances), str(plan.calls)]
    for _ in range(plan.rounds):
        with subprocess.Popen(
            [str(python), str(Path(__file__).with_name("spawned.py")), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as script:
            assert script.stdin is not None
            assert script.stdout is not None
            memory = []
            for line in script.stdout:
                for name, values in json.loads(line).items():
                    getattr(samples, name).extend(values)
                memory.append(memory_below(script.pid))
                script.stdin.write("\n")
                script.stdin.flush()
            samples.memory.append((memory[1] - memory[0]) / plan.instances)
        if script.returncode:
            raise subprocess.CalledProcessError(script.returncode, script.args)
    return samples


def execnets(plan: Plan, python: Path) -> Samples:
    """``execnet``: a gateway for each instance, in the driver's environment."""
    samples = Samples()
    for _ in range(plan.rounds):
        group, channels = execnet.Group(), []
        try:
            with timed(samples.first):
                channel = _gateway(group, plan, python)
            before = memory_below(os.getpid())
            for _ in range(plan.instances):
                with timed(samples.further):
                    channels.append(_gateway(group, plan, python))
            samples.memory.append((memory_below(os.getpid()) - before) / plan.instances)
            for _ in range(plan.calls):
                with timed(samples.calls):
                    channel.send(("echo", {"text": "again"}))
                    channel.receive()
        finally:
            group.terminate(timeout=5)
    return samples


def _gateway(group: execnet.Group, plan: Plan, python: Path) -> execnet.Channel:
    channel = group.makegateway(f"popen//python={python}").remote_exec(SERVE)
    channel.send(str(plan.source))
    channel.send(("echo", {"text": "ready"}))
    channel.receive()
    return channel


def venv_and_pip(plan: Plan) -> Samples:
    """``python -m venv``, then ``pip install -r requirements.txt`` in it; once more where all is installed."""
    samples = Samples()
    for _ in range(plan.builds):
        with tempfile.TemporaryDirectory() as room:
            environ = os.environ | {
                "PIP_CACHE_DIR": str(Path(room, "cache")),
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            }
            for name, times in (("first", samples.cold), ("second", samples.cached)):
                with timed(times):
                    subprocess.run([sys.executable, "-m", "venv", Path(room, name)], check=True)
                    _pip_install(Path(room, name), plan, environ)
            with timed(samples.again):
                _pip_install(Path(room, "second"), plan, environ)
    return samples


def _pip_install(environment: Path, plan: Plan, environ: dict[str, str]) -> None:
    pip, requirements = environment / "bin/pip", plan.source / "requirements.txt"
    subprocess.run([pip, "install", "-qq", "-r", requirements], check=True, env=environ)
