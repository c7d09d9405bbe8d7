"""Kinds of devices, as in GpuFacts: what they are called, and which of them every box has."""

from __future__ import annotations

from collections.abc import Iterable, Sized

PACKAGE = "package"  # the processors of a box without a GPU
_WORDS = {PACKAGE: "CPU", "accelerator": "chip"}


def device_word(kinds: Iterable[str]) -> str:
    """The devices in one word, "GPU" where there are several kinds, or none."""
    words = {_WORDS.get(kind, "GPU") for kind in kinds}
    return words.pop() if len(words) == 1 else "GPU"


def nothing_found(servers: Sized, kinds: Iterable[str]) -> bool:
    """No server, and no device but the processors."""
    return not len(servers) and all(kind == PACKAGE for kind in kinds)
