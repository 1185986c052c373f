"""What is written of an execution is what is read of it, however long, and one that is no text is refused alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from shelldock.errors import InputError
from shelldock.executions import Executions
from shelldock.ledger import LONG, Ledger
from shelldock.model import Call, Execution, Outcome, Resource, Target
from shelldock.settings import HistorySettings
from shelldock.store import Store
from shelldock.tables import executions

TARGET = Target(resource=Resource(name="sw1"))


@pytest.fixture
async def ledger(store: Store, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = Ledger(store, tmp_path, HistorySettings())
    await opened.open()
    yield opened
    await opened.close()


def accepted(id: str) -> Execution:
    """An execution that has just been asked for."""
    return Execution(id=id, target="sw1", command="show", accepted=1.0, inputs={"text": "ä ☃ \0"})


async def run(ledger: Ledger, id: str, result: str) -> Execution:
    """Write an execution from its acceptance to its end."""
    await ledger.write(accepted(id), new=True)
    ended = replace(accepted(id), state="completed", ended=2.0, result=result)
    await ledger.write(ended)
    return ended


@pytest.mark.parametrize(
    "result",
    ["", "short", "a\0b", "ab" * LONG, "ä☃😀" * LONG, "a\0" * LONG],
    ids=["empty", "short", "zero", "long", "long and wide", "long with zeros"],
)
async def test_what_is_read_is_what_was_written(ledger: Ledger, result: str) -> None:
    ended = await run(ledger, "e1", result)
    assert ledger.get("e1") == ended
    assert ledger.page({}, "", 10).executions == [ended]


async def test_a_long_result_is_no_part_of_the_record(ledger: Ledger, store: Store) -> None:
    await run(ledger, "e1", "x" * (LONG + 1))
    with store.transaction() as connection:
        (record,) = connection.execute(select(executions.c.record)).scalars()
    assert len(record) < LONG


@pytest.mark.parametrize("length", [1, LONG + 1])
async def test_a_result_that_is_no_unicode_is_refused_and_takes_no_other_with_it(
    ledger: Ledger, length: int
) -> None:
    ends = [
        replace(accepted(name), state="completed", ended=2.0, result=text * length)
        for name, text in (("e1", "a"), ("e2", "\ud800"), ("e3", "c"))
    ]
    await asyncio.gather(*(ledger.write(accepted(one.id), new=True) for one in ends))
    answers = await asyncio.gather(*map(ledger.write, ends), return_exceptions=True)
    assert [type(one) for one in answers] == [type(None), InputError, type(None)]
    assert [ledger.get(one.id).state for one in ends] == ["completed", "accepted", "completed"]


async def test_long_results_are_not_remembered_but_read_again(ledger: Ledger) -> None:
    record = Executions(lambda _: None, ledger, remembered=2 * LONG)
    text = "x" * LONG
    for name in ("e1", "e2", "e3"):
        record.accept(Call(execution=name, target=TARGET, command="show"))
        await record.started(name, "i1")
        await record.end(name, Outcome(result=text))
    assert [one.id for one in record.all()] == ["e2", "e3"]
    assert (await record.wait("e1")).result == text
