"""Version 2: lost energy, activity of tensor cores and DRAM, speculation, stalls, power of the box."""

from __future__ import annotations

from typing import Final

# Version 2 of the two views of quarters.
V_GPU_QUARTER: Final = """CREATE VIEW v_gpu_quarter AS SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', q.quarter_ms / 1000, 'unixepoch') AS quarter_utc, run.kind AS run_kind,
    gpu.host AS host, gpu.key AS gpu, owner.key AS serves, q.ms_unknown / 1e3 AS unknown_s,
    q.ms_lost / 1e3 AS lost_s, q.ms_blind / 1e3 AS blind_s, q.ms_loading / 1e3 AS loading_s,
    q.ms_serving / 1e3 AS serving_s, q.ms_parked / 1e3 AS parked_s, q.ms_held / 1e3 AS held_s,
    q.ms_unallocated / 1e3 AS unallocated_s, q.ms_other_work / 1e3 AS other_work_s,
    q.ms_stalled / 1e3 AS stalled_s,
    q.observed_ms / 1e3 AS observed_s, q.gap_ms / 1e3 AS gap_s, q.energy_mj / 1e3 AS energy_j,
    max(q.lost_mj, 0) / 1e3 AS energy_lost_at_most_j, q.measured_ms / 1e3 AS energy_measured_s,
    q.power_max_mw / 1e3 AS power_max_w, q.power_mw_ms / 1e3 / nullif(q.power_ms, 0) AS power_mean_w,
    q.util_permille_ms / 10.0 / nullif(q.util_ms, 0) AS util_mean_percent,
    q.tensor_permille_ms / 10.0 / nullif(q.tensor_ms, 0) AS tensor_mean_percent,
    q.dram_permille_ms / 10.0 / nullif(q.dram_ms, 0) AS dram_mean_percent,
    1.0 * q.memory_mib_ms / nullif(q.memory_ms, 0) AS memory_mean_mib, q.temperature_max_c
    FROM gpu_quarter AS q JOIN run ON run.id = q.run LEFT JOIN entity AS gpu ON gpu.id = q.entity
    LEFT JOIN entity AS owner ON owner.id = q.owner"""
V_FLOW_QUARTER: Final = """CREATE VIEW v_flow_quarter AS SELECT
    strftime('%Y-%m-%dT%H:%M:%SZ', q.quarter_ms / 1000, 'unixepoch') AS quarter_utc, run.kind AS run_kind,
    flow.host AS host, flow.key AS flow, server.key AS server, q.covered_ms / 1e3 AS covered_s, q.prompt_tokens,
    q.cached_tokens, q.output_tokens, q.drafted_tokens, q.accepted_tokens, q.finished AS finished_requests,
    q.failed AS failed_requests, q.aborted AS aborted_requests, q.preempted AS preempted_requests
    FROM flow_quarter AS q JOIN run ON run.id = q.run LEFT JOIN entity AS flow ON flow.id = q.entity
    LEFT JOIN entity AS server ON server.id = flow.parent"""

# What a version-1 store does not have was not measured: NULL, or 0 where the column is a sum.
SECOND: Final = (
    "ALTER TABLE gpu_raw ADD COLUMN lost_mj INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_raw ADD COLUMN tensor_permille INTEGER",
    "ALTER TABLE gpu_raw ADD COLUMN dram_permille INTEGER",
    "ALTER TABLE gpu_raw ADD COLUMN memory_temperature_c INTEGER",
    "ALTER TABLE flow_raw ADD COLUMN drafted_tokens INTEGER",
    "ALTER TABLE flow_raw ADD COLUMN accepted_tokens INTEGER",
    "ALTER TABLE host_raw ADD COLUMN power_mw INTEGER",
    "ALTER TABLE host_raw ADD COLUMN energy_mj INTEGER",
    "ALTER TABLE gpu_quarter ADD COLUMN ms_stalled INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_quarter ADD COLUMN lost_mj INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_quarter ADD COLUMN tensor_permille_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_quarter ADD COLUMN tensor_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_quarter ADD COLUMN dram_permille_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE gpu_quarter ADD COLUMN dram_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE flow_quarter ADD COLUMN drafted_tokens INTEGER",
    "ALTER TABLE flow_quarter ADD COLUMN accepted_tokens INTEGER",
    "DROP VIEW v_gpu_quarter",
    "DROP VIEW v_flow_quarter",
    V_GPU_QUARTER,
    V_FLOW_QUARTER,
)
