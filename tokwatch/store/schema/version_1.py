"""Version 1: runs, ticks, entities, raw rows, events, counters as they stood, prices and quarter hours."""

from __future__ import annotations

from typing import Final

from tokwatch import __version__

_FIRST_TABLES: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE run (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, host TEXT NOT NULL, boot_id TEXT NOT NULL, version TEXT NOT NULL,
        timezone TEXT NOT NULL, started_ms INTEGER NOT NULL, source TEXT NOT NULL
    ) STRICT""",
    "CREATE UNIQUE INDEX run_import ON run (source) WHERE kind = 'imported'",
    """CREATE TABLE tick (
        tick_ms INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL, boottime_ns INTEGER NOT NULL,
        clock_step_ms INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES run (id),
        reaches_ms INTEGER  -- first quarter that an entry of this tick reaches back into; NULL: none but its own
    ) STRICT""",
    "CREATE INDEX tick_run ON tick (run)",
    "CREATE INDEX tick_reaching ON tick (run, tick_ms) WHERE reaches_ms IS NOT NULL",
    """CREATE TABLE entity (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, host TEXT NOT NULL, key TEXT NOT NULL, parent INTEGER NOT NULL,
        first_seen_ms INTEGER NOT NULL, UNIQUE (kind, host, key)
    ) STRICT""",
    """CREATE TABLE gpu_raw (
        id INTEGER PRIMARY KEY, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, energy_mj INTEGER,
        measured_ms INTEGER NOT NULL, power_mw INTEGER, util_permille INTEGER, memory_used_mib INTEGER,
        temperature_c INTEGER, sm_clock_mhz INTEGER, throttle INTEGER, state INTEGER NOT NULL, owner INTEGER NOT NULL,
        flags INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE server_raw (
        id INTEGER PRIMARY KEY, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, up INTEGER NOT NULL, running INTEGER,
        waiting INTEGER, kv_permyriad INTEGER, progress INTEGER, scrape_ms INTEGER NOT NULL,
        page_bytes INTEGER NOT NULL, flags INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE flow_raw (
        id INTEGER PRIMARY KEY, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, prompt_tokens INTEGER, cached_tokens INTEGER,
        output_tokens INTEGER, finished INTEGER, failed INTEGER, aborted INTEGER, preempted INTEGER, histograms BLOB,
        flags INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE host_raw (
        id INTEGER PRIMARY KEY, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, cpu_permille INTEGER,
        memory_used_mib INTEGER, package_energy_mj INTEGER, self_cpu_ms INTEGER NOT NULL,
        self_rss_kib INTEGER NOT NULL, flags INTEGER NOT NULL
    ) STRICT""",
    # What the histogram blobs refer to: a blob repeats no edges.
    """CREATE TABLE histogram_edges (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, edges TEXT NOT NULL, UNIQUE (name, edges)
    ) STRICT""",
    # "The last event of kind × entity × key at or before T" is one index seek.
    """CREATE TABLE event (
        kind TEXT NOT NULL, entity INTEGER NOT NULL, key TEXT NOT NULL, tick_ms INTEGER NOT NULL,
        position INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, entity, key, tick_ms)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX event_tick ON event (tick_ms, position)",
    """CREATE TABLE absolute_latest (
        entity INTEGER PRIMARY KEY, tick_ms INTEGER NOT NULL, incarnation TEXT NOT NULL, at_ns INTEGER NOT NULL,
        boot_id TEXT NOT NULL, counters TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE absolute (
        id INTEGER PRIMARY KEY, flags INTEGER NOT NULL,  -- of the entry that made it worth keeping; 0: the run's end
        incarnation TEXT NOT NULL, at_ns INTEGER NOT NULL, boot_id TEXT NOT NULL, counters TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE price_version (
        id INTEGER PRIMARY KEY, effective_from_ms INTEGER NOT NULL, recorded_ms INTEGER NOT NULL, source TEXT NOT NULL,
        book TEXT NOT NULL
    ) STRICT""",
    # Which quarter hours hold rows of which run, and whether those are rolled up.
    """CREATE TABLE quarter (
        quarter_ms INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES run (id), rolled INTEGER NOT NULL,
        PRIMARY KEY (quarter_ms, run)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX quarter_unrolled ON quarter (quarter_ms) WHERE rolled = 0",
    """CREATE TABLE gpu_quarter (
        quarter_ms INTEGER NOT NULL, run INTEGER NOT NULL, entity INTEGER NOT NULL, owner INTEGER NOT NULL,
        ms_unknown INTEGER NOT NULL, ms_lost INTEGER NOT NULL, ms_blind INTEGER NOT NULL, ms_loading INTEGER NOT NULL,
        ms_serving INTEGER NOT NULL, ms_parked INTEGER NOT NULL, ms_held INTEGER NOT NULL,
        ms_unallocated INTEGER NOT NULL, ms_other_work INTEGER NOT NULL, observed_ms INTEGER NOT NULL,
        gap_ms INTEGER NOT NULL, energy_mj INTEGER, measured_ms INTEGER NOT NULL, power_max_mw INTEGER,
        power_mw_ms INTEGER NOT NULL, power_ms INTEGER NOT NULL, util_permille_ms INTEGER NOT NULL,
        util_ms INTEGER NOT NULL, memory_mib_ms INTEGER NOT NULL, memory_ms INTEGER NOT NULL,
        temperature_max_c INTEGER, entries INTEGER NOT NULL, flags INTEGER NOT NULL,
        PRIMARY KEY (quarter_ms, run, entity, owner)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE flow_quarter (
        quarter_ms INTEGER NOT NULL, run INTEGER NOT NULL, entity INTEGER NOT NULL, covered_ms INTEGER NOT NULL,
        prompt_tokens INTEGER, cached_tokens INTEGER, output_tokens INTEGER, finished INTEGER, failed INTEGER,
        aborted INTEGER, preempted INTEGER, histograms BLOB, entries INTEGER NOT NULL, flags INTEGER NOT NULL,
        PRIMARY KEY (quarter_ms, run, entity)
    ) STRICT, WITHOUT ROWID""",
)

# For people with a SQL shell: ISO times, units in the names, names instead of ids.
_FIRST_VIEWS: Final = (
    """CREATE VIEW v_gpu_quarter AS SELECT
        strftime('%Y-%m-%dT%H:%M:%SZ', q.quarter_ms / 1000, 'unixepoch') AS quarter_utc, run.kind AS run_kind,
        gpu.host AS host, gpu.key AS gpu, owner.key AS serves, q.ms_unknown / 1e3 AS unknown_s,
        q.ms_lost / 1e3 AS lost_s, q.ms_blind / 1e3 AS blind_s, q.ms_loading / 1e3 AS loading_s,
        q.ms_serving / 1e3 AS serving_s, q.ms_parked / 1e3 AS parked_s, q.ms_held / 1e3 AS held_s,
        q.ms_unallocated / 1e3 AS unallocated_s, q.ms_other_work / 1e3 AS other_work_s,
        q.observed_ms / 1e3 AS observed_s, q.gap_ms / 1e3 AS gap_s, q.energy_mj / 1e3 AS energy_j,
        q.measured_ms / 1e3 AS energy_measured_s, q.power_max_mw / 1e3 AS power_max_w,
        q.power_mw_ms / 1e3 / nullif(q.power_ms, 0) AS power_mean_w,
        q.util_permille_ms / 10.0 / nullif(q.util_ms, 0) AS util_mean_percent,
        1.0 * q.memory_mib_ms / nullif(q.memory_ms, 0) AS memory_mean_mib, q.temperature_max_c
        FROM gpu_quarter AS q JOIN run ON run.id = q.run LEFT JOIN entity AS gpu ON gpu.id = q.entity
        LEFT JOIN entity AS owner ON owner.id = q.owner""",
    """CREATE VIEW v_flow_quarter AS SELECT
        strftime('%Y-%m-%dT%H:%M:%SZ', q.quarter_ms / 1000, 'unixepoch') AS quarter_utc, run.kind AS run_kind,
        flow.host AS host, flow.key AS flow, server.key AS server, q.covered_ms / 1e3 AS covered_s, q.prompt_tokens,
        q.cached_tokens, q.output_tokens, q.finished AS finished_requests, q.failed AS failed_requests,
        q.aborted AS aborted_requests, q.preempted AS preempted_requests
        FROM flow_quarter AS q JOIN run ON run.id = q.run LEFT JOIN entity AS flow ON flow.id = q.entity
        LEFT JOIN entity AS server ON server.id = flow.parent""",
    """CREATE VIEW v_event AS SELECT
        strftime('%Y-%m-%dT%H:%M:', e.tick_ms / 1000, 'unixepoch')
        || printf('%06.3fZ', e.tick_ms % 60000 / 1e3) AS time_utc,
        e.kind, entity.kind AS entity_kind, entity.host AS host, entity.key AS entity, e.key, e.body, tick.run
        FROM event AS e JOIN tick ON tick.tick_ms = e.tick_ms LEFT JOIN entity ON entity.id = e.entity""",
)

_CREATED_BY: Final = f"INSERT INTO meta (key, value) VALUES ('created_by', 'tokwatch {__version__}')"


FIRST: Final = (*_FIRST_TABLES, *_FIRST_VIEWS, _CREATED_BY)
