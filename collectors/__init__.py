"""Collectors read the world (GPUs, servers, the host) into Readings; they know no money, storage or screens."""
