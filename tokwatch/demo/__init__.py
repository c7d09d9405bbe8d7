"""A fleet that does not exist: simulated GPUs and servers behind the real collectors."""
