"""Version 3: more states, energy of idleness and of boxes, what gateways saw, restated prices, mutes."""

from __future__ import annotations

from typing import Final

from tokwatch.store.schema.version_2 import V_FLOW_QUARTER, V_GPU_QUARTER

# Version 3 of the view of quarters; states are columns of their own for people who sum them up.
V_GPU_QUARTER_3: Final = V_GPU_QUARTER.replace(
    "q.ms_stalled / 1e3 AS stalled_s,",
    "q.ms_stalled / 1e3 AS stalled_s, q.ms_throttled / 1e3 AS throttled_s, q.ms_saturated / 1e3 AS saturated_s, "
    "q.ms_backlog / 1e3 AS backlog_s, q.ms_misrouted / 1e3 AS misrouted_s, q.ms_underbatched / 1e3 AS underbatched_s,",
).replace("q.energy_mj / 1e3 AS energy_j,", "q.energy_mj / 1e3 AS energy_j, q.idle_energy_mj / 1e3 AS idle_energy_j,")

_V_FLOW_ELSEWHERE_QUARTER: Final = V_FLOW_QUARTER.replace(
    "VIEW v_flow_quarter", "VIEW v_flow_elsewhere_quarter"
).replace("FROM flow_quarter", "FROM flow_elsewhere_quarter")

THIRD: Final = (
    "ALTER TABLE gpu_quarter ADD COLUMN ms_throttled INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_quarter ADD COLUMN ms_saturated INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_quarter ADD COLUMN ms_backlog INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_quarter ADD COLUMN ms_misrouted INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_quarter ADD COLUMN ms_underbatched INTEGER NOT NULL DEFAULT 0",
    # Of energy_mj; NULL in rows of before: then it is shared out by time.
    "ALTER TABLE gpu_quarter ADD COLUMN idle_energy_mj INTEGER",
    # When a GPU was first and last seen is asked for each export.
    "CREATE INDEX gpu_quarter_entity ON gpu_quarter (entity, quarter_ms)",
    """CREATE TABLE host_quarter (
        quarter_ms INTEGER NOT NULL, run INTEGER NOT NULL, entity INTEGER NOT NULL, observed_ms INTEGER NOT NULL,
        energy_mj INTEGER, energy_ms INTEGER NOT NULL, package_energy_mj INTEGER, package_ms INTEGER NOT NULL,
        entries INTEGER NOT NULL, flags INTEGER NOT NULL, PRIMARY KEY (quarter_ms, run, entity)
    ) STRICT, WITHOUT ROWID""",
    # What a server saw pass that is counted at another one: a gateway's view, by tenant. Columns of flow_quarter, in a
    # table of its own because sums over both count tokens twice.
    """CREATE TABLE flow_elsewhere_quarter (
        quarter_ms INTEGER NOT NULL, run INTEGER NOT NULL, entity INTEGER NOT NULL, covered_ms INTEGER NOT NULL,
        prompt_tokens INTEGER, cached_tokens INTEGER, output_tokens INTEGER, finished INTEGER, failed INTEGER,
        aborted INTEGER, preempted INTEGER, histograms BLOB, entries INTEGER NOT NULL, flags INTEGER NOT NULL,
        drafted_tokens INTEGER, accepted_tokens INTEGER, PRIMARY KEY (quarter_ms, run, entity)
    ) STRICT, WITHOUT ROWID""",
    _V_FLOW_ELSEWHERE_QUARTER,
    # What people tell a store, from any process: only ever added to.
    "ALTER TABLE price_version ADD COLUMN effective_to_ms INTEGER",  # a restatement's end
    "ALTER TABLE price_version ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE price_close (
        month TEXT PRIMARY KEY, last_version INTEGER NOT NULL, closed_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE mute (
        id INTEGER PRIMARY KEY, made_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, body TEXT NOT NULL
    ) STRICT""",
    "DROP VIEW v_gpu_quarter",
    V_GPU_QUARTER_3,
)
