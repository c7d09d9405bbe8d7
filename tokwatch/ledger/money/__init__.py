"""The money of one moment: what its GPUs cost an hour, what a token costs, what the traffic earns. Pure."""
