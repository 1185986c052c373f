"""What runs inside a driver's process: standard library only, Python 3.7 and later.

The host starts ``<environment's python> -s -m shelldriver CONTROL HANDLES`` (two inherited descriptors), once for each
environment and driver: the *fork server*. It imports the driver's module and forks an *instance* whenever asked, or
starts a fresh interpreter for each where the import left a thread alive or the host says so.

The wire is the framing of ``multiprocessing.connection`` (4-byte big-endian length) with one JSON object in each frame.
Nothing is ever pickled. Requests say what to ``do``, answers and events say what ``is``:

====================  ==========================================================================================
control, host →       ``{"do": "load", "source", "main", "way": "auto" | "fresh", "commands": {name: [[parameter,
                      default | null], …]}, "pycache": folder | null, "host_lost": seconds}`` first, once; then
                      ``{"do": "start", "id", "folder", "log", "log_bytes": bytes, "log_keep": files, "about": text,
                      "environ": {}, "concurrent", "result_limit": bytes}`` (the instance's channel comes over HANDLES),
                      ``{"do": "kill", "id"}``
control, → host       ``{"is": "loaded", "python", "way": "forked" | "fresh: why"}``, ``{"is": "failed", "id" | absent,
                      "type", "text", "trace", "where"}``, ``{"is": "started", "id", "pid"}``, ``{"is": "gone", "id",
                      "status"}`` once the instance and all that it left behind have ended
channel, host →       ``{"do": "initialize", "call", "context", "execution": id}``, ``{"do": "call", "call", "command",
                      "inputs", "ports", "context", "execution": id}``, ``{"do": "cancel", "call"}``, ``{"do": "level",
                      "level": name}``, ``{"do": "stop", "reason", "limit": seconds}``
channel, → host       ``{"is": "result", "call", "text"}``, ``{"is": "error", "call", "kind": "driver" | "command" | "input" |
                      "result", "type", "text", "trace", "known": [names]}``, ``{"is": "stopped", "error" | null}``
====================  ==========================================================================================

Each ``start`` is answered by ``started`` or ``failed``, then, whichever it was, by one ``gone``. A fork server that sent
``failed`` for its ``load`` ends. Of a start's frame and its channel either may come first; the n-th belong together.
A result with ``"pieces": n`` has an empty text and is followed by n frames that are no JSON, but the parts of it as UTF-8.
A limit that is null is none. ``log_bytes``, ``log_keep``, ``about`` and ``execution`` may be absent. Queued calls whose host is gone are not run.

End of file on the channel means that the host is gone: the instance runs ``cleanup`` within ``host_lost``, ends its own
children and exits. End of file on control: the fork server tells its instances to end in that time as well, then kills what is left. An
instance whose fork server is gone ends so, too.
"""
