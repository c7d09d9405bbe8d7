"""Collectors read the world (GPUs, inference servers, the host) into Readings; they know no money, storage or screens."""
