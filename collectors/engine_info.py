"""What an engine tells about its deployment on a page of its own: version, parallel sizes, precision, model.

One GET of one path per engine and incarnation. Only the named keys are read of the answer: such pages also hold chat
templates, paths and whole argument lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import msgspec

from collectors.labels import clean_label

MODEL = "model"  # the fact that names the served model; the others are for the eye
MAX_BYTES = 2**20  # SGLang's, the longest, has 10 kB
_UNSET = frozenset({"", "None", "null", "auto", "False", "false"})


@dataclass(frozen=True, slots=True)
class InfoPage:
    """Where an engine tells, and which keys of the JSON object are which facts. The first key that is there counts."""

    path: str
    facts: Mapping[str, tuple[str, ...]]  # fact → keys


_VERSION = InfoPage("/version", {"engine version": ("version",)})

INFO_PAGES: Mapping[str, InfoPage] = {
    "vllm": _VERSION,
    "tensorrt-llm": _VERSION,
    "sglang": InfoPage(
        "/get_server_info",
        {
            "engine version": ("version",),
            MODEL: ("served_model_name", "model_path"),
            "tensor parallel": ("tp_size",),
            "pipeline parallel": ("pp_size",),
            "data parallel": ("dp_size",),
            "expert parallel": ("ep_size",),
            "precision": ("dtype",),
            "quantisation": ("quantization",),
            "KV cache precision": ("kv_cache_dtype",),
            "speculation": ("speculative_algorithm",),
            "role": ("disaggregation_mode",),
        },
    ),
    "llama.cpp": InfoPage(
        "/props",
        {
            "engine version": ("build_info",),
            MODEL: ("model_alias", "model_path"),
            "quantisation": ("model_ftype",),
            "slots": ("total_slots",),
        },
    ),
    "tgi": InfoPage("/info", {"engine version": ("version",), MODEL: ("model_id",), "precision": ("model_dtype",)}),
    "tei": InfoPage("/info", {"engine version": ("version",), MODEL: ("model_id",), "precision": ("model_dtype",)}),
}


def info_url(engine: str, metrics_url: str) -> str | None:
    """Where the engine behind `metrics_url` tells about itself; None where it has no such page."""
    page = INFO_PAGES.get(engine)
    return None if page is None else urlunsplit(urlsplit(metrics_url)._replace(path=page.path, query=""))


def read_info(engine: str, body: bytes) -> dict[str, str]:
    """The facts on an engine's page by name; what is not there, too long, or no JSON object at all, tells nothing."""
    if len(body) > MAX_BYTES:
        return {}
    try:
        told = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # the last: a million brackets
        return {}
    named = {
        fact: next((text for key in keys if (text := _text(told.get(key))) not in _UNSET), "")
        for fact, keys in INFO_PAGES[engine].facts.items()
    }
    if named.get(MODEL, "").startswith("/"):
        named[MODEL] = named[MODEL].rstrip("/").rpartition("/")[2]  # a path says where it lies on that box
    return {fact: text for fact, text in named.items() if text}


def _text(value: msgspec.Raw | None) -> str:
    try:
        told = msgspec.json.decode(value, type=str | int | float) if value else ""
    except msgspec.DecodeError:  # a list, an object, null
        return ""
    return clean_label(str(told), 64)
