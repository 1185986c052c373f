"""CloudShell's own answers to the hooks: package formats, contexts, scoping, environments, concurrency, idle."""
