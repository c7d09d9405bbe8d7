"""Exit codes: a contract that other programs rely on."""

import enum


class Exit(enum.IntEnum):
    """What a command leaves with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOTHING_FOUND = 3  # no GPU and no inference server
    PARTIAL = 4  # an answer, but a part of the data is missing: also a figure of `once --fail-if` that is not known
    CONDITION_MET = 5  # a condition of `once --fail-if` holds; goes before PARTIAL
    INTERRUPTED = 130
