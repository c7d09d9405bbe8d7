"""Version 4: sealed chunks, minute rows, named sessions, and views for people with a SQL shell."""

from __future__ import annotations

from typing import Final

from tokwatch.store.schema.version_3 import V_GPU_QUARTER_3

# A window of ticks of one run that was sealed; its raw rows are gone. The body holds the columns of `tick`.
_TICK_CHUNK: Final = """CREATE TABLE tick_chunk (
    first_ms INTEGER PRIMARY KEY, last_ms INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES run (id),
    ticks INTEGER NOT NULL, reaches_ms INTEGER,  -- the earliest of its ticks' reaches_ms
    layout INTEGER NOT NULL REFERENCES chunk_layout (id), body BLOB NOT NULL
) STRICT"""

# Rows of one entity in such a window. id = (first_ms of the tick chunk << 20) + entity. Without that tick chunk the
# window is still being sealed, and its raw rows hold.
_ENTRY_CHUNK: Final = """CREATE TABLE {kind}_chunk (
    id INTEGER PRIMARY KEY, entries INTEGER NOT NULL, layout INTEGER NOT NULL REFERENCES chunk_layout (id),
    body BLOB NOT NULL
) STRICT"""

_SUMS_OF_A_FLOW: Final = """minute_ms INTEGER NOT NULL, run INTEGER NOT NULL, entity INTEGER NOT NULL,
    covered_ms INTEGER NOT NULL, prompt_tokens INTEGER, cached_tokens INTEGER, output_tokens INTEGER, finished INTEGER,
    failed INTEGER, aborted INTEGER, preempted INTEGER, histograms BLOB, entries INTEGER NOT NULL,
    flags INTEGER NOT NULL, drafted_tokens INTEGER, accepted_tokens INTEGER, PRIMARY KEY (run, minute_ms, entity)"""

# Keys begin with the run, unlike those of quarter hours: minutes go when they are old, imported ones later than others,
# and what is kept must not lie in the way of the search for what goes.
_MINUTES: Final = (
    """CREATE TABLE gpu_minute (
        minute_ms INTEGER NOT NULL, run INTEGER NOT NULL, entity INTEGER NOT NULL, owner INTEGER NOT NULL,
        ms_unknown INTEGER NOT NULL, ms_lost INTEGER NOT NULL, ms_blind INTEGER NOT NULL, ms_loading INTEGER NOT NULL,
        ms_serving INTEGER NOT NULL, ms_parked INTEGER NOT NULL, ms_held INTEGER NOT NULL,
        ms_unallocated INTEGER NOT NULL, ms_other_work INTEGER NOT NULL, ms_stalled INTEGER NOT NULL,
        ms_throttled INTEGER NOT NULL, ms_saturated INTEGER NOT NULL, ms_backlog INTEGER NOT NULL,
        ms_misrouted INTEGER NOT NULL, ms_underbatched INTEGER NOT NULL, observed_ms INTEGER NOT NULL,
        gap_ms INTEGER NOT NULL, energy_mj INTEGER, measured_ms INTEGER NOT NULL, power_max_mw INTEGER,
        power_mw_ms INTEGER NOT NULL, power_ms INTEGER NOT NULL, util_permille_ms INTEGER NOT NULL,
        util_ms INTEGER NOT NULL, memory_mib_ms INTEGER NOT NULL, memory_ms INTEGER NOT NULL,
        temperature_max_c INTEGER, entries INTEGER NOT NULL, flags INTEGER NOT NULL, lost_mj INTEGER NOT NULL,
        tensor_permille_ms INTEGER NOT NULL, tensor_ms INTEGER NOT NULL, dram_permille_ms INTEGER NOT NULL,
        dram_ms INTEGER NOT NULL, idle_energy_mj INTEGER, PRIMARY KEY (run, minute_ms, entity, owner)
    ) STRICT, WITHOUT ROWID""",
    f"CREATE TABLE flow_minute ({_SUMS_OF_A_FLOW}) STRICT, WITHOUT ROWID",
    f"CREATE TABLE flow_elsewhere_minute ({_SUMS_OF_A_FLOW}) STRICT, WITHOUT ROWID",
    """CREATE TABLE host_minute (
        minute_ms INTEGER NOT NULL, run INTEGER NOT NULL, entity INTEGER NOT NULL, observed_ms INTEGER NOT NULL,
        energy_mj INTEGER, energy_ms INTEGER NOT NULL, package_energy_mj INTEGER, package_ms INTEGER NOT NULL,
        entries INTEGER NOT NULL, flags INTEGER NOT NULL, PRIMARY KEY (run, minute_ms, entity)
    ) STRICT, WITHOUT ROWID""",
    # Minutes with ticks that no minute row speaks for yet: the running one, or the one a killed recorder was in.
    """CREATE TABLE minute_due (
        minute_ms INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES run (id), PRIMARY KEY (minute_ms, run)
    ) STRICT, WITHOUT ROWID""",
    # Of a quarter hour that version 3 left open: all of it, so that its minutes are summed up together.
    """INSERT INTO minute_due (minute_ms, run) SELECT quarter_ms + place.value * 60000, run
        FROM quarter, json_each('[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]') AS place WHERE rolled = 0""",
)

_V_GPU_MINUTE: Final = (
    V_GPU_QUARTER_3.replace("v_gpu_quarter", "v_gpu_minute")
    .replace("quarter_utc", "minute_utc")
    .replace("quarter_ms", "minute_ms")
    .replace("gpu_quarter AS q", "gpu_minute AS q")
)
_V_FLOW_MINUTE: Final = """CREATE VIEW v_flow_minute AS SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', q.minute_ms / 1000, 'unixepoch') AS minute_utc, run.kind AS run_kind,
    flow.host AS host, server.key AS server, json_extract(flow.key, '$[1]') AS model,
    json_extract(flow.key, '$[3]') AS tenant, q.covered_ms / 1e3 AS covered_s, q.prompt_tokens, q.cached_tokens,
    q.output_tokens, q.output_tokens * 1e3 / nullif(q.covered_ms, 0) AS output_tokens_per_s,
    q.finished AS finished_requests, q.failed AS failed_requests, q.aborted AS aborted_requests
    FROM flow_minute AS q JOIN run ON run.id = q.run LEFT JOIN entity AS flow ON flow.id = q.entity
    LEFT JOIN entity AS server ON server.id = flow.parent"""
_V_GPU_HOUR: Final = """CREATE VIEW v_gpu_hour AS SELECT
    strftime('%Y-%m-%dT%H:00:00Z', q.quarter_ms / 1000, 'unixepoch') AS hour_utc, run.kind AS run_kind,
    gpu.host AS host, gpu.key AS gpu, sum(q.observed_ms) / 1e3 AS observed_s, sum(q.gap_ms) / 1e3 AS gap_s,
    sum(q.ms_serving) / 1e3 AS serving_s,
    sum(q.ms_parked + q.ms_held + q.ms_unallocated + q.ms_misrouted) / 1e3 AS idle_s,
    sum(q.energy_mj) / 1e3 AS energy_j, sum(q.idle_energy_mj) / 1e3 AS idle_energy_j,
    max(q.power_max_mw) / 1e3 AS power_max_w, sum(q.power_mw_ms) / 1e3 / nullif(sum(q.power_ms), 0) AS power_mean_w,
    sum(q.util_permille_ms) / 10.0 / nullif(sum(q.util_ms), 0) AS util_mean_percent
    FROM gpu_quarter AS q JOIN run ON run.id = q.run LEFT JOIN entity AS gpu ON gpu.id = q.entity
    GROUP BY q.quarter_ms / 3600000, run.kind, q.entity"""
_V_MODEL_HOUR: Final = """CREATE VIEW v_model_hour AS SELECT
    strftime('%Y-%m-%dT%H:00:00Z', q.quarter_ms / 1000, 'unixepoch') AS hour_utc, run.kind AS run_kind,
    flow.host AS host, json_extract(flow.key, '$[1]') AS model, sum(q.prompt_tokens) AS prompt_tokens,
    sum(q.cached_tokens) AS cached_tokens, sum(q.output_tokens) AS output_tokens,
    sum(q.finished) AS finished_requests, sum(q.failed) AS failed_requests, sum(q.aborted) AS aborted_requests
    FROM flow_quarter AS q JOIN run ON run.id = q.run LEFT JOIN entity AS flow ON flow.id = q.entity
    GROUP BY q.quarter_ms / 3600000, run.kind, flow.host, model"""
_V_EVENT: Final = """CREATE VIEW v_event AS SELECT
    strftime('%Y-%m-%dT%H:%M:', e.tick_ms / 1000, 'unixepoch')
    || printf('%06.3fZ', e.tick_ms % 60000 / 1e3) AS time_utc,
    e.kind, entity.kind AS entity_kind, entity.host AS host, entity.key AS entity, e.key, e.body, e.run
    FROM event AS e LEFT JOIN entity ON entity.id = e.entity"""

# From when to when a GPU was there in a run, as far as its quarter hours are rolled up: raw rows will be gone.
_GPU_SEEN: Final = """CREATE TABLE gpu_seen (
    run INTEGER NOT NULL, entity INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    PRIMARY KEY (run, entity)
) STRICT, WITHOUT ROWID"""
_ENTRIES_OF_EXTREME: Final = "FROM tick AS t CROSS JOIN gpu_raw AS e ON e.id = (t.tick_ms << 20) + extreme.entity"
_SUM_OF_EXTREME: Final = """SELECT sum(q.observed_ms + q.gap_ms) FROM gpu_quarter AS q
    WHERE q.run = extreme.run AND q.entity = extreme.entity AND q.quarter_ms"""
# Where raw rows are gone already: of the first quarter hour the end was watched, of the last one the beginning.
_GPUS_SEEN_BEFORE: Final = f"""INSERT INTO gpu_seen (run, entity, first_ms, last_ms)
    WITH extreme AS (
        SELECT entity, run, min(quarter_ms) AS first, max(quarter_ms) AS last FROM gpu_quarter
        WHERE (quarter_ms, run) IN (SELECT quarter_ms, run FROM quarter WHERE rolled = 1) GROUP BY entity, run
    )
    SELECT run, entity,
        coalesce(
            (SELECT t.tick_ms + t0 {_ENTRIES_OF_EXTREME} WHERE t.run = extreme.run AND t.tick_ms > first
                AND t.tick_ms <= first + 900000 ORDER BY t.tick_ms LIMIT 1),
            first + 900000 - ({_SUM_OF_EXTREME} = first)),
        coalesce(
            (SELECT t.tick_ms + t1 {_ENTRIES_OF_EXTREME} WHERE t.run = extreme.run AND t.tick_ms > last
                AND t.tick_ms <= last + 900000 ORDER BY t.tick_ms DESC LIMIT 1),
            last + ({_SUM_OF_EXTREME} = last))
    FROM extreme"""

FOURTH: Final = (
    # Which columns a chunk holds, so that chunks of before a new column stay readable.
    """CREATE TABLE chunk_layout (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, columns TEXT NOT NULL, UNIQUE (kind, columns)
    ) STRICT""",
    _TICK_CHUNK,
    "CREATE INDEX tick_chunk_run ON tick_chunk (run, first_ms)",
    "CREATE INDEX tick_chunk_reaching ON tick_chunk (run, first_ms, reaches_ms) WHERE reaches_ms IS NOT NULL",
    *(_ENTRY_CHUNK.format(kind=kind) for kind in ("gpu", "server", "flow", "host")),
    *_MINUTES,
    _GPU_SEEN,
    _GPUS_SEEN_BEFORE,
    # Where counters broke off is marked on a timeline; all others are kept every ten minutes.
    "CREATE INDEX absolute_breaks ON absolute (id) WHERE flags & 10",
    # A range that somebody named, and the one that a shared file offers.
    """CREATE TABLE session (
        name TEXT PRIMARY KEY, runs TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
        made_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # Ticks are sealed away; an event stays, and still says which run it is of.
    "ALTER TABLE event ADD COLUMN run INTEGER NOT NULL DEFAULT 0",
    "UPDATE event SET run = coalesce((SELECT run FROM tick WHERE tick.tick_ms = event.tick_ms), 0)",
    "DROP VIEW v_event",
    _V_EVENT,
    _V_GPU_MINUTE,
    _V_FLOW_MINUTE,
    _V_GPU_HOUR,
    _V_MODEL_HOUR,
)
