"""The fleet: many hosts at the grain of a host. Pure functions and shapes; a GPU's own story is told host by host."""
