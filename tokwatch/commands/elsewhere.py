"""Which other boxes than this one a command line names: one host of a Prometheus, or many. Imports nothing heavy."""

from __future__ import annotations

import argparse
from typing import Final, Literal

WAYS: Final = ("prometheus", "hosts", "targets")  # of reading many


def elsewhere(options: argparse.Namespace) -> Literal["", "host", "fleet"]:
    """ "": this box. Raises UsageError for a host of nothing. First sight's options name none of the flags."""
    named = [way for way in WAYS if getattr(options, way, None) is not None]
    host: str | None = getattr(options, "host", None)
    from_prometheus = named == ["prometheus"]
    is_narrowed = getattr(options, "selector", None) is not None
    if host is None and (from_prometheus or not is_narrowed):
        return "fleet" if named else ""
    if host and from_prometheus:
        return "host"
    from tokwatch.errors import UsageError  # with the store behind it, which the first frame cannot wait for

    if host is None:
        raise UsageError("--selector: narrows what a Prometheus is asked: --prometheus URL --selector MATCHERS")
    raise UsageError("--host: names one host of a Prometheus: --prometheus URL --host NAME")
