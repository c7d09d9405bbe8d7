"""Where every figure of a Snapshot comes from: its meaning, unit and formula, and the numbers put into it. Pure."""
