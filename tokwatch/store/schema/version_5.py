"""Version 5: frames of a fleet, each all of its hosts at one moment, for the fleet's screens to be replayed."""

from __future__ import annotations

from typing import Final

FIFTH: Final = (
    # Each ten seconds for some hours, each minute for a month; the sums of quarter hours are in gpu_quarter and
    # flow_quarter, as a single box's are. What the charts need stands beside the body, so that they need not unpack it.
    """CREATE TABLE fleet_frame (
        id INTEGER PRIMARY KEY, grain_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        run INTEGER NOT NULL REFERENCES run (id), hosts INTEGER NOT NULL, output_tok_s REAL, power_w REAL,
        gpus_idle INTEGER, body BLOB NOT NULL
    ) STRICT""",
    "CREATE UNIQUE INDEX fleet_frame_at ON fleet_frame (grain_ms, at_ms)",
    """CREATE VIEW v_fleet_frame AS SELECT
        strftime('%Y-%m-%dT%H:%M:%SZ', at_ms / 1000, 'unixepoch') AS time_utc, grain_ms / 1e3 AS grain_s, hosts,
        output_tok_s, power_w, gpus_idle, length(body) AS bytes FROM fleet_frame""",
)
