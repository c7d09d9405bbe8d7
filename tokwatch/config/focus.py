"""`[focus]`: who bills whom in `export hourly --by focus`, and where the GPUs are."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from collectors.labels import clean_label

_NEVER_EMPTY = ("operator", "billing_account_id", "billing_account_name", "service_name")


class FocusSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names that no measurement can tell. "" is none."""

    operator: str = "Self-hosted"  # runs the service, and provides the GPUs that are its own
    rented_from: str = ""  # provides the rented ones; the operator unless told
    service_name: str = "GPU inference"
    billing_account_id: str = "self-hosted"
    billing_account_name: str = "Self-hosted"
    sub_account_id: str = ""
    sub_account_name: str = ""  # the id unless told
    region_id: str = ""
    region_name: str = ""  # the id unless told


def problems(section: FocusSection) -> Iterator[tuple[str, str]]:
    """(path, message) of each name that no reader of the table could take."""
    for key in section.__struct_fields__:
        text: str = getattr(section, key)
        if text != clean_label(text):
            yield f"focus.{key}", "must be at most 256 characters that can be shown"
    for key in _NEVER_EMPTY:
        if not getattr(section, key).strip():
            yield f"focus.{key}", "must not be empty: FOCUS wants it in every row"
    for named in ("sub_account", "region"):
        if getattr(section, f"{named}_name") and not getattr(section, f"{named}_id"):
            yield f"focus.{named}_name", f"needs {named}_id beside it"
