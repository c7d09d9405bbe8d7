"""Tables, views and their migrations: SQL text only, a version a file, and the few numbers the key layout depends on.

Levels, from fine to coarse: raw rows (`*_raw`, one a tick, for a day), sealed chunks (`*_chunk`, ten minutes of one
entity, for a month), minute rows (`*_minute`, for a quarter of a year) and quarter-hour rows (`*_quarter`, for ever).
A tick is either raw or sealed, never both: `tick` holds the raw ones, `tick_chunk` the others.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from tokwatch.store.schema.version_1 import FIRST
from tokwatch.store.schema.version_2 import SECOND
from tokwatch.store.schema.version_3 import THIRD
from tokwatch.store.schema.version_4 import FOURTH
from tokwatch.store.schema.version_5 import FIFTH

if TYPE_CHECKING:
    from sqlite_utils.db import Database

APPLICATION_ID: Final = 0x746F6B77  # "tokw": file(1) and we tell our stores from other SQLite files by it
SCHEMA_VERSION: Final = 5

# A raw row's key is (tick_ms << 20) + entity: appended in order, so B-tree pages fill, and no index beside it.
# t0 and t1 are offsets from tick_ms, so they take one or two bytes.
ENTITY_BITS: Final = 20
ENTITY_LIMIT: Final = 1 << ENTITY_BITS
TICK_LIMIT_MS: Final = 1 << (63 - ENTITY_BITS)  # the year 2248; beyond it the key would turn negative

_STEPS: Final = (
    ("first_tables", FIRST),
    ("lost_energy_activity_speculation_stalls", SECOND),
    ("prices_mutes_host_energy_states", THIRD),
    ("chunks_minutes_named_sessions", FOURTH),
    ("fleet_frames", FIFTH),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the store to SCHEMA_VERSION, each step in one transaction."""
    # Only here: sqlite_utils takes 0.15–0.7 s to import, and most starts have nothing to migrate.
    from sqlite_utils import Migrations
    from sqlite_utils.db import Database

    migrations = Migrations("tokwatch")
    for version, (name, statements) in enumerate(_STEPS, start=1):

        def step(db: Database, version: int = version, statements: tuple[str, ...] = statements) -> None:
            for statement in statements:
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {version}")

        migrations(name=name)(step)
    migrations.apply(Database(connection, recursive_triggers=False, execute_plugins=False))
