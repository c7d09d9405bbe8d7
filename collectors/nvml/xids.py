"""What Xid codes mean, in words: the driver's error numbers that an operator of inference servers meets.

Source: NVIDIA's Xid catalogue, https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html.
"""

from __future__ import annotations

_WORDS = {
    13: "graphics engine exception, mostly the program's fault",
    31: "memory page fault, mostly the program's fault",
    43: "a program's channel was stopped",
    45: "channels of a program were cleaned up after an earlier error",
    46: "GPU stopped processing",
    48: "double-bit ECC error",
    61: "internal micro-controller warning",
    62: "internal micro-controller halt",
    63: "memory row remapping recorded, done at the next GPU reset",
    64: "memory row remapping failed to record",
    74: "NVLink error",
    79: "GPU fell off the bus",
    92: "high rate of single-bit ECC errors",
    94: "contained memory error, only the program that hit it is lost",
    95: "uncontained memory error, GPU needs a reset",
    119: "GPU system processor (GSP) did not answer in time",
    120: "GPU system processor (GSP) failed",
    140: "unrecovered ECC error",
    154: "recovery action changed",
}


def xid_words(code: int) -> str:
    """As in "Xid 79: GPU fell off the bus"; a code without words here is its number alone."""
    return f"Xid {code}: {_WORDS[code]}" if code in _WORDS else f"Xid {code}"
