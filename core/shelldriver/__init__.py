"""What runs inside a driver's process: standard library only, Python 3.7 and later.

The host starts ``<environment's python> -s -m shelldriver CONTROL HANDLES`` (two inherited descriptors), once for each
environment and driver: the *fork server*. It imports the driver's module and forks an *instance* whenever asked, or
starts a fresh interpreter for each where the import left a thread alive or the host says so.

The wire is the framing of ``multiprocessing.connection`` (4-byte big-endian length) with one JSON object in each frame.
Nothing is ever pickled. Requests say what to ``do``, answers and events say what ``is``:

====================  ==========================================================================================
control, host →       ``{"do": "load", "way": "auto" | "fresh", "host_lost": seconds, "source", "main", "commands": {name:
                      [[parameter, default | null], …]}, "pycache": folder | null, "merge_memory": true | absent}``
                      first, once; then ``{"do": "kill", "number"}``
control, → host       ``{"is": "loaded", "python", "way": "forked" | "fresh: why"}`` or ``{"is": "failed", "type", "text",
                      "trace", "where"}``; then ``{"is": "gone", "number", "status", "why": text | absent}`` once an
                      instance and all that it left behind have ended
channel, host →       ``{"do": "start", "folder", "log", "log_bytes": bytes, "log_keep": files, "about": text, "environ":
                      {}, "concurrent", "result_limit": bytes, "host_lost": seconds, "driver": null | {"source", "main",
                      "commands", "pycache"}}`` first, once; then ``{"do": "initialize", "call", "context",
                      "execution": id}``, ``{"do": "call", "call", "command", "inputs", "ports", "context", "execution":
                      id}``, ``{"do": "cancel", "call"}``, ``{"do": "level", "level": name}``, ``{"do": "stop",
                      "reason", "limit": seconds}``
channel, → host       ``{"is": "started", "pid"}`` or ``{"is": "failed", "type", "text", "trace", "where"}``; then
                      ``{"is": "result", "call", "text"}``, ``{"is": "error", "call", "kind": "driver" | "command" | "input" |
                      "result", "type", "text", "trace", "known": [names]}``, ``{"is": "stopped", "error" | null}``
====================  ==========================================================================================

For each channel that comes over HANDLES there will be one instance, and one ``gone``, with the number of the channel, counted
from one. A fork server that sent ``failed`` for its ``load`` ends. A fresh instance needs ``driver``, as it has not imported it.
A result with ``"pieces": n`` has an empty text and is followed by n frames that are no JSON, but the parts of it as UTF-8.
A limit that is null is none. ``log_bytes``, ``log_keep``, ``about`` and ``execution`` may be absent. Queued calls whose host is gone are not run.

End of file on the channel means that the host is gone: the instance runs ``cleanup`` within ``host_lost``, ends its own
children and exits. End of file on control: the fork server tells its instances to end in that time as well, then kills what is left. An
instance whose fork server is gone ends so, too.
"""
