"""One driver object and the commands that it is given."""

from __future__ import annotations

import _thread
import contextlib
import os
import threading
import time
from collections import deque
from select import EPOLLIN, POLLIN, epoll, poll
from typing import Any, Callable, Deque, Dict, NoReturn, Tuple

from shelldriver import debugging, failures, records, results
from shelldriver.binding import Arguments, Commands, Refusal
from shelldriver.contexts import Contexts
from shelldriver.ending import Ending, leave
from shelldriver.interrupts import Interrupts
from shelldriver.log import NOBODY, Log
from shelldriver.wire import Channel, Message, out_of_the_way

_LAST_WORDS = 100
"""Milliseconds in which the end of the host is seen after that of the fork server."""
_MOMENT = 0.001
"""Seconds that the main thread has to notice what another one has noticed."""

Task = Tuple[Callable[..., None], Tuple[Any, ...]]


class Instance:
    """The main thread belongs to the driver. It reads requests for as long as it has none to answer, else another does.

    :param channel: to the host.
    :param lifeline: a descriptor whose other side hangs up when the fork server has gone.
    :param concurrent: each command has a thread of its own, instead of the main one in turn.
    :param result_limit: bytes that a result may have.
    :param host_lost: seconds for the end, once the host or the fork server has gone.
    """

    def __init__(
        self,
        commands: Commands,
        contexts: Contexts,
        channel: Channel,
        lifeline: int,
        log: Log,
        interrupts: Interrupts,
        concurrent: bool,
        result_limit: float,
        host_lost: float,
    ) -> None:
        self._driver: Any = None
        self._commands = commands
        self._contexts = contexts
        self._context: Any = None
        self._channel = channel
        self._lifeline = lifeline
        self._log = log
        self._reason = ""
        self._concurrent = concurrent
        self._result_limit = result_limit
        self._host_lost = host_lost
        self._work: Deque[Task] = deque()
        self._cancellations: Dict[Any, Any] = {}
        self._alone = False
        self._interrupts = interrupts
        self._ears = poll()
        self._relief = _epoll()
        self._ears.register(channel.descriptor, POLLIN)
        self._relief.register(channel.descriptor, 0)
        for listener in (self._ears, self._relief):
            listener.register(lifeline, 0)  # Whether it hangs up is told all the same.
        self._listening = threading.Lock()
        self._busy = False
        """Whether the main thread does something else than listen."""
        self._ending = Ending(channel, log, self._cleanup, lambda: bool(self._cancellations))

    def run(self) -> NoReturn:
        """Do what is asked until the end. Does not return."""
        os.register_at_fork(after_in_child=self._forget)
        # Not a threading.Thread: no driver needs to see it, and its bookkeeping would be memory of each instance.
        _thread.start_new_thread(self._relieve, ())
        while True:
            while not self._work:
                self._listen(-1)
            function, arguments = self._work.popleft()
            self._be_busy(True)
            function(*arguments)
            self._be_busy(False)

    # ---- listening --------------------------------------------------------------------------------

    def _be_busy(self, busy: bool) -> None:
        """Let the other thread listen, or take over from it. Neither wakes it."""
        with self._listening:
            self._busy = busy
            try:
                self._relief.modify(self._channel.descriptor, EPOLLIN if busy else 0)
            except (OSError, ValueError):
                return  # The driver closed all that it found open, or this is a process that it forked.

    def _relieve(self) -> None:
        """Listen while the main thread is busy."""
        while True:
            self._relief.poll()
            with self._listening:
                if self._busy:
                    self._listen(0)
                    continue
            time.sleep(_MOMENT)  # Somebody has hung up, and the main thread is about to notice.

    def _listen(self, pause: int) -> None:
        """Wait for so many milliseconds, and take what has come; notice who has gone."""
        reason = "the fork server is gone"
        try:
            heard = dict(self._ears.poll(pause))
            if self._lifeline not in heard:
                for message in self._channel.read() if heard else ():
                    self._take(message)
                return
            # Where the host went, the fork server hangs up as well, and may be the first.
            self._ears.unregister(self._lifeline)
            if self._ears.poll(_LAST_WORDS) and not self._channel.read():
                reason = "the host is gone"
        except (EOFError, OSError):
            reason = "the host is gone"
        except Exception as error:  # What came is no request: nothing after it can be trusted.
            reason = "what the host sent is no request: %s" % failures.one_line(error)
        for descriptor in (
            self._channel.descriptor,
            self._lifeline,
        ):  # There is nothing more to hear.
            for listener in (self._ears, self._relief):
                with contextlib.suppress(KeyError, OSError):
                    listener.unregister(descriptor)
        self._alone = True
        self._end(self._host_lost, "cut off: %s" % reason)

    def _take(self, message: Message) -> None:
        do = message["do"]
        if do == "call":
            self._log.look()
            cancellation = self._cancellations[message["call"]] = self._contexts.cancellation()
            if self._concurrent:
                self._call_aside(message, cancellation)
            else:
                self._work.append((self._call, (message, cancellation)))
        elif do == "cancel":
            cancellation = self._cancellations.get(message["call"])
            if cancellation is not None:
                cancellation.is_cancelled = True
        elif do == "initialize":
            self._work.append((self._initialize, (message,)))
        elif do == "stop":
            self._end(message["limit"], message["reason"])
        elif do == "level":
            self._log.note("log level %s" % message["level"], execution=NOBODY)
            records.set_level(message["level"])

    def _call_aside(self, message: Message, cancellation: Any) -> None:
        try:
            threading.Thread(target=self._call, args=(message, cancellation), daemon=True).start()
        except RuntimeError as error:
            # The system has no thread to give: this call fails, the others go on.
            self._answer(cancellation, _failed(message, error))

    def _end(self, limit: Any, reason: str) -> None:
        if not self._reason:
            self._reason = reason
            self._log.note("stopping: %s" % reason, execution=NOBODY)
        for cancellation in list(self._cancellations.values()):
            cancellation.is_cancelled = True
        self._ending.bound(limit)
        self._work.append((self._ending.run, ()))

    # ---- the driver's thread ----------------------------------------------------------------------

    def _initialize(self, message: Message) -> None:
        self._log.begin(message.get("execution") or NOBODY)
        try:
            debugging.wait(self._log.note)
            self._context = self._contexts.build(message["context"])
            driver = self._commands.driver()
            bound = self._commands.bind_hook("initialize", {"context": self._context})
            if bound is not None:
                self._drive(driver.initialize, bound)
            self._driver = driver
        except BaseException as error:  # The driver's; nothing of it may be used any more.
            self._channel.send(_failed(message, error))
            self._log.note("initialize raised\n%s" % failures.trace(error), "ERROR")
            leave(1, self._log)
        self._log.complete()
        self._log.note("initialized")
        self._log.end()
        self._channel.send({"is": "result", "call": message["call"], "text": ""})

    def _call(self, message: Message, cancellation: Any) -> None:
        call = message["call"]
        if self._alone:  # It waited for its turn, and nobody waits for it any more.
            self._cancellations.pop(call, None)
            return
        self._log.begin(message.get("execution") or NOBODY)
        try:
            answer = {"is": "result", "call": call, "text": self._text(message, cancellation)}
        except BaseException as error:  # The driver's: even an exit is only this command's failure.
            answer = _failed(message, error)
            if answer["kind"] == "driver":
                trace = failures.trace(error)
                self._log.note("%s raised\n%s" % (message["command"], trace), "ERROR")
        self._log.complete()
        self._answer(cancellation, answer)
        self._log.end()

    def _answer(self, cancellation: Any, answer: Message) -> None:
        self._channel.send(answer)
        # Only now: the end waits for answers. A host may have used the number again by then.
        if self._cancellations.get(answer["call"]) is cancellation:
            del self._cancellations[answer["call"]]

    def _text(self, message: Message, cancellation: Any) -> str:
        command, inputs, ports = message["command"], message["inputs"], message["ports"]
        injected = {
            "context": self._contexts.build(message["context"]),
            "cancellation_context": cancellation,
        }
        if ports or "ports" not in inputs:
            injected["ports"] = list(ports)
        bound = self._commands.bind(command, inputs, injected)
        value = self._drive(getattr(self._driver, command), bound)
        return results.to_text(value, self._result_limit)

    def _cleanup(self) -> None:
        if self._driver is None:
            return
        injected = {"context": self._context, "reason": self._reason}
        bound = self._commands.bind_hook("cleanup", injected)
        if bound is not None:
            self._drive(self._driver.cleanup, bound)

    def _drive(self, method: Callable[..., Any], bound: Arguments) -> Any:
        args, kwargs = bound
        if threading.current_thread() is not threading.main_thread():
            return method(*args, **kwargs)
        try:
            self._interrupts.heeded = True
            return method(*args, **kwargs)
        finally:
            self._interrupts.heeded = False

    def _forget(self) -> None:
        """In a process that the driver forked: the connections are not its, and the log is not only its."""
        self._log.forget()
        self._channel.close()
        with contextlib.suppress(OSError):  # It may have closed all that it found open.
            os.close(self._lifeline)
            self._relief.close()
        # Should it come back from the driver's code, it ends: it is no instance.
        self._work = deque([(os._exit, (0,))])


def _epoll() -> epoll:
    """One that drivers do not meet (see ``wire.out_of_the_way``)."""
    with epoll() as made:
        return epoll.fromfd(out_of_the_way(os.dup(made.fileno())))


def _failed(message: Message, error: BaseException) -> Message:
    """The error frame that answers ``message``."""
    frame = {
        "is": "error",
        "call": message["call"],
        "kind": "driver",
        "known": [],
        **failures.described(error),
    }
    if isinstance(error, Refusal):
        frame.update(kind=error.kind, known=error.known, type="", trace="")
    elif isinstance(error, results.ResultError):
        frame.update(kind="result", trace="")
    return frame
