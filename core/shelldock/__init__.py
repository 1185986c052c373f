"""Runs CloudShell shell drivers, unmodified, without a CloudShell server."""
