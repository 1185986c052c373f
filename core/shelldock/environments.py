"""The environments of one machine: resolved anew from time to time, built once, shared, collected."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from msgspec.structs import replace

from shelldock import manifest
from shelldock.building import (
    DriverPackage,
    Makers,
    Report,
    Step,
    current_step,
    last_line,
    linked,
    make,
)
from shelldock.errors import EnvironmentFailed, LimitReached, ShelldockError
from shelldock.locks import FileLock, held
from shelldock.model import Environment, Needs, Shell
from shelldock.resolutions import Resolutions
from shelldock.shelf import Shelf

log = logging.getLogger(__name__)

RENEWAL: Final = 60.0
"""Seconds that the index has to answer where there is an environment already."""

ENDING: Final = 10.0
"""Seconds that hooks have to give up when the host closes."""

ELSEWHERE: Final = "another process is at it"

PROGRESS: Final = 0.25
"""Seconds between two reports of progress."""

BUILDERS: Final = 8
"""How many resolve or build at the same time; what they wait for is mostly the network."""

T = TypeVar("T")


class Hold:
    """Keeps an environment from being removed, by any process, until ``release`` or this process's death."""

    def __init__(self, environment: Environment, lock: FileLock) -> None:
        self.environment = environment
        self._lock = lock

    def release(self) -> None:
        """Let go; a second time is nothing."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()


class Environments:
    """Makes environments ready, and removes them when they are no longer used.

    :param folder: where they lie; other processes may use it at the same time.
    :param resolutions: where it is remembered what requirements resolved to.
    :param validity: seconds for which that counts, before the index is asked again (checklist V4).
    :param build_limit: seconds for resolving and building together.
    :param changed: told, on the event loop, of what happens to an environment; several times a second at most.
    :param build_source: where ``build_limit`` was set, for the message.
    :param premises: text that stands for whatever else needs depend on: a change asks the index again.
    """

    def __init__(
        self,
        folder: Path,
        resolutions: Path,
        *,
        validity: float,
        build_limit: float,
        changed: Callable[[Environment], None],
        build_source: str = "default",
        premises: str = "",
    ) -> None:
        self._shelf = Shelf(folder)
        self._resolutions = Resolutions(resolutions, validity, premises)
        self._limit = build_limit
        self._limit_source = build_source
        self._changed = changed
        self._package = DriverPackage()
        self._making: dict[str, asyncio.Task[Environment]] = {}
        self._working: dict[asyncio.Future[Any], Step] = {}
        self._pool = ThreadPoolExecutor(BUILDERS, thread_name_prefix="environment")

    # ---- making ---------------------------------------------------------------------------------

    async def ready(self, shell: Shell, python: str | None, makers: Makers) -> Environment:
        """The environment of the shell's driver as of now; resolved and built if need be, once for all who ask.

        ``makers`` are asked in a thread, in the context of a ``building.current_step``. Where they fail
        although an environment was built for the last answer, that is used, with a warning. Failures are not
        remembered. A caller that is cancelled stops nothing.

        :param shell: has a driver.
        :param python: the interpreter that the user asked for, if any.
        :raises EnvironmentFailed: it cannot be resolved or built; ``LimitReached``: not in time.
        """
        key = self._resolutions.key(shell, python)
        known = self._known(key)
        if known is not None:
            return known
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(
                self._make(key, shell, python, makers), name=f"environment {shell.name}"
            )
            self._making[key] = task
            task.add_done_callback(lambda done: self._made(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is being resolved or built, and wait for its end."""
        for step in self._working.values():
            step.given_up.set()
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._working and (await asyncio.wait(self._working, timeout=ENDING))[1]:
            log.warning("a plugin does not give up making an environment; it is left alone")
        self._pool.shutdown(wait=False)

    def _known(self, key: str) -> Environment | None:
        resolution = self._resolutions.get(key)
        if resolution is None or not self._resolutions.is_fresh(key, resolution):
            return None
        return self._find(resolution.needs)

    def _find(self, needs: Needs) -> Environment | None:
        found = self._shelf.find(manifest.digest_of(needs, self._package.digest))
        return found if found and manifest.touch(found) else None

    def _made(self, key: str, task: asyncio.Task[Environment]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            task.exception()  # it may be that nobody waits any more

    async def _make(
        self, key: str, shell: Shell, python: str | None, makers: Makers
    ) -> Environment:
        assert shell.driver is not None
        place = self._shelf.root / manifest.folder_name(shell.driver)
        about = Environment(name=place.name, path=place, python=place / "bin" / "python")
        report = Report(about, self._changed)
        limit = asyncio.timeout(None if math.isinf(self._limit) else self._limit)
        try:
            async with limit:
                return await self._renew(key, shell, python, makers, report)
        except TimeoutError:
            if not limit.expired():
                raise
            what = f"the environment of {shell.name!r}"
            error = LimitReached("build", self._limit, what, self._limit_source)
            return self._as_it_was(key, error, report)
        except ShelldockError as error:
            return self._as_it_was(key, error, report)

    async def _renew(
        self, key: str, shell: Shell, python: str | None, makers: Makers, report: Report
    ) -> Environment:
        """Resolve, build, and only then remember the answer, alone among all processes."""
        async with held(
            lambda: self._resolutions.lock(key), lambda: report.tell("resolving", ELSEWHERE)
        ):
            last = self._resolutions.get(key)
            if last is not None and self._resolutions.is_fresh(key, last):
                return await self._build(shell, last.needs, makers, report)
            report.tell("resolving")
            step = Step(self._resolutions.log(key))
            patience = RENEWAL if last and self._find(last.needs) else None
            try:
                async with asyncio.timeout(patience):
                    needs = await self._in_thread(
                        step,
                        shell,
                        report,
                        lambda: makers.needs(shell, makers.python(shell, python)),
                    )
            except TimeoutError as error:
                reason = f"no answer within {RENEWAL:g} s"
                raise EnvironmentFailed(shell.name, "resolve", reason, str(step.log)) from error
            made = await self._build(shell, needs, makers, report)
            self._resolutions.put(key, needs)
            return made

    def _as_it_was(self, key: str, error: ShelldockError, report: Report) -> Environment:
        """The environment for the last answer, where there is one: an index that is away stops nothing."""
        last = self._resolutions.get(key)
        found = self._find(last.needs) if last else None
        if found is None:
            report.tell("failed", str(error))
            raise error
        self._resolutions.postpone(key)
        log.warning("environment %s is used as it was: %s", found.name, error)
        report.about = found
        report.tell("ready", f"used as it was: {error}")
        return found

    async def _build(
        self, shell: Shell, needs: Needs, makers: Makers, report: Report
    ) -> Environment:
        assert shell.driver is not None
        digest = manifest.digest_of(needs, self._package.digest)
        name = manifest.folder_name(shell.driver, digest)
        path = self._shelf.root / name
        report.about = replace(
            report.about, name=name, digest=digest, path=path, python=path / "bin" / "python"
        )
        report.about = replace(report.about, version=needs.version, pins=needs.pins)
        found = self._find(needs)
        if found is not None:
            return report.done(found)
        async with held(
            lambda: self._shelf.build_lock(digest), lambda: report.tell("building", ELSEWHERE)
        ):
            found = self._find(needs)
            if found is not None:
                return report.done(found)
            report.tell("building")
            step = Step(self._shelf.log(name))
            made = await self._in_thread(
                step, shell, report, lambda: self._build_now(name, needs, makers, step)
            )
            return report.done(made)

    def _build_now(self, name: str, needs: Needs, makers: Makers, step: Step) -> Environment:
        self._shelf.sweep(manifest.digest_of(needs, self._package.digest))
        build = linked(self._shelf, needs) or makers.build
        return make(self._shelf, name, needs, build, self._package, step)

    async def _in_thread(
        self, step: Step, shell: Shell, report: Report, work: Callable[[], T]
    ) -> T:
        """What ``work`` returns; its log's last line is reported meanwhile, and given up when this is cancelled."""
        step.log.write_bytes(b"")
        context = copy_context()
        context.run(current_step.set, step)
        future = asyncio.get_running_loop().run_in_executor(self._pool, context.run, work)
        self._working[future] = step
        future.add_done_callback(self._worked)
        try:
            while not (await asyncio.wait({future}, timeout=PROGRESS))[0]:
                report.tell(report.about.state, last_line(step.log))
            return future.result()
        except EnvironmentFailed as error:
            raise EnvironmentFailed(shell.name, error.step, error.reason, str(step.log)) from error
        except OSError as error:
            verb = "resolve" if report.about.state == "resolving" else "build"
            raise EnvironmentFailed(shell.name, verb, str(error), str(step.log)) from error
        finally:
            step.given_up.set()

    def _worked(self, future: asyncio.Future[Any]) -> None:
        del self._working[future]
        if not future.cancelled():
            future.exception()  # it may be that nobody waits any more

    # ---- keeping --------------------------------------------------------------------------------

    def hold(self, environment: Environment) -> Hold:
        """Keep ``environment`` from being removed, and note that it is used now.

        :raises NotFoundError: it was removed since ``ready`` answered; ask again.
        """
        hold = Hold(environment, self._shelf.hold(environment.name))
        manifest.touch(environment)
        return hold

    def list(self) -> Sequence[Environment]:
        """All that can be used, by name."""
        return self._shelf.all()

    def prune(self, unused_for: float) -> Sequence[Environment]:
        """Remove the environments that nobody has used for so many seconds nor holds, and what crashes left.

        Blocks while files are removed. Tells which were removed (checklist V7).
        """
        self._resolutions.prune(unused_for)
        return [replace(one, state="removed") for one in self._shelf.prune(unused_for)]

    def remove(self, name: str) -> Environment:
        """Remove one environment. Raises ``NotFoundError``, or ``ConflictError`` where somebody holds it."""
        return replace(self._shelf.remove(name), state="removed")
