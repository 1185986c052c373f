"""Ways to run a driver in a process of its own: a module each, with a class ``Peer`` of the same shape."""
