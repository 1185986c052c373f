"""CloudShell's own protocols: what drivers and clients dial."""
