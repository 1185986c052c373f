"""What drivers write through ``logging``, and when: into the log, with level and execution."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import Any, Optional

from shelldriver.log import Log

_OF_CLOUDSHELL = "cloudshell.logging.qs_logger"

_EXECUTION = "shelldock_execution"
_WRITTEN = "shelldock_written"
"""Names of attributes of records. Not plain ones: ``extra`` may not have a name that a record has already."""


class Records:
    """Sees to it that handlers for the standard streams, and for files below ``LOG_PATH``, write to the log.

    That is where cloudshell-logging writes, all its releases: each through handlers of its own, some of loggers that
    are known to nobody else, one from a thread of its own. What they have in common is that a record is made first,
    by the factory that ``logging`` asks. So this is where new handlers are noticed, and a record learns its execution.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._newest: Any = None
        self._made = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._make)
        logging.lastResort = _LastResort(log)

    def _make(self, *arguments: Any, **named: Any) -> logging.LogRecord:
        record = self._made(*arguments, **named)
        setattr(record, _EXECUTION, self._log.execution())
        handlers = vars(logging)["_handlerList"]  # References; a new one comes last.
        if handlers and handlers[-1] is not self._newest:
            self._newest = handlers[-1]
            for reference in list(handlers):
                self._adopt(reference())
        return record

    def _adopt(self, handler: Any) -> None:
        if not isinstance(handler, logging.StreamHandler):
            return
        stream = vars(handler).get("stream")  # There are those that look for one at each record.
        if isinstance(stream, _Lines):
            return
        if isinstance(handler, logging.FileHandler):
            if _belongs_to_the_log(handler.baseFilename):
                self._redirect(handler, "log")
                _remove_if_empty(handler)
        elif stream is not None and stream is sys.__stdout__:
            self._redirect(handler, "out")
        elif stream is not None and stream is sys.__stderr__:
            self._redirect(handler, "err")

    def _redirect(self, handler: Any, source: str) -> None:
        lines = _Lines(self._log, source)
        before = handler.setStream(lines)
        handler.setFormatter(_Noticing(handler.formatter or logging.Formatter(), lines))
        if before is not None and isinstance(handler, logging.FileHandler):
            before.close()


class _Lines(io.TextIOBase):
    """In place of a handler's stream."""

    def __init__(self, log: Log, source: str) -> None:
        self.record: Optional[logging.LogRecord] = None
        """The one that is about to be written. A handler is locked meanwhile."""
        self._log = log
        self._source = source
        self._text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._text += text
        return len(text)

    def flush(self) -> None:
        record, text = self.record, self._text
        self.record, self._text = None, ""
        if not text:
            return
        if record is None:
            self._log.add(self._source, text, self._log.execution())
        elif not hasattr(record, _WRITTEN):  # By another handler, for instance of a logger above.
            setattr(record, _WRITTEN, True)
            execution = getattr(record, _EXECUTION, self._log.execution())
            self._log.add(record.levelname, text, execution, record.created)

    def seek(self, *_: Any) -> int:
        return 0

    def tell(self) -> int:
        """How much there is, for handlers that start a new file at some size."""
        return 0

    def close(self) -> None:
        self.flush()


class _Noticing(logging.Formatter):
    """A handler's formatter, which tells what is about to be written."""

    def __init__(self, formatter: Any, lines: _Lines) -> None:
        self._formatter = formatter
        self._lines = lines

    def format(self, record: logging.LogRecord) -> str:
        self._lines.record = record
        return str(self._formatter.format(record))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._formatter, name)


class _LastResort(logging.Handler):
    """For loggers that no handler was given for."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:  # Arguments that do not fit, and what else strangers do.
            self.handleError(record)
        else:
            execution = getattr(record, _EXECUTION, self._log.execution())
            self._log.add(record.levelname, text, execution, record.created)


def set_level(level: str) -> None:
    """Let the loggers log from ``level`` on: the root, those without handlers, and those of cloudshell-logging."""
    os.environ["LOG_LEVEL"] = (
        level  # cloudshell-logging looks there whenever it is asked for a logger.
    )
    logging.getLogger().setLevel(level)
    if logging.lastResort is not None:
        logging.lastResort.setLevel(level)
    package: Any = sys.modules.get(_OF_CLOUDSHELL)
    for logger in list(getattr(package, "_LOGGER_CONTAINER", {}).values()):
        if hasattr(package, "set_log_level"):  # From 2.0 on the handlers have the level.
            package.set_log_level(logger, level)
        else:
            logger.setLevel(level)


def _belongs_to_the_log(file: str) -> bool:
    folder = os.environ.get("LOG_PATH")
    return bool(folder) and file.startswith(os.path.join(os.path.abspath(str(folder)), ""))


def _remove_if_empty(handler: Any) -> None:
    if type(handler) is not logging.FileHandler:
        return  # Those of other kinds may look after their files.
    try:
        if os.path.getsize(handler.baseFilename) == 0:
            os.unlink(handler.baseFilename)
    except OSError:  # It was never opened.
        pass
