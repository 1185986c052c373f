"""The server: people and programs drive a host over HTTP."""
