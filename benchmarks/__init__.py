"""How Shelldock compares with other ways to run a driver in its own environment and process."""
