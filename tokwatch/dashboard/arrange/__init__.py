"""Finding and arranging GPUs: filter, order, groups and columns of the list. Pure functions over a Snapshot's rows."""
