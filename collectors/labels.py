"""Cleans text from outside before anything else sees it: labels, model names, process names, error texts."""

from __future__ import annotations

import re

# What a terminal or a reader could be fooled with. Written as ranges and not as Unicode categories, so that a stored
# label is cleaned the same by every Python version.
_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences, also in their one-character form
    "\xad"  # soft hyphen
    "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # joiners and fillers that show nothing
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls: text that reads other than it is
    "\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufe00-\ufe0f"  # zero width
    "\u2028\u2029"  # line and paragraph separator
    "\ufeff\ufff9-\ufffb"  # BOM, interlinear annotation
    "\U0001d173-\U0001d17a"  # musical format controls
    "\ud800-\udfff"  # lone surrogates: cannot be encoded, so would fail later, far from here
    "\U000e0000-\U000e0fff"  # tags and variation selectors
    "]"
)
REPLACEMENT = "\ufffd"


def clean_label(text: str, limit: int = 256) -> str:
    """`text` with every control, bidi, zero-width and unencodable character as U+FFFD, in at most `limit` characters.

    A longer text ends in "…". Cleaning a clean text changes nothing. Never raises; `limit` is at least 1.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return _UNSAFE.sub(REPLACEMENT, text)
