"""First sight comes before everything else: what it may import."""

from __future__ import annotations

import subprocess
import sys

_IMPORTED = """
import sys
before = set(sys.modules)
import tokwatch.__main__, tokwatch.first_sight.show
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
_LIGHT = {"tokwatch", "collections", "datetime", "functools", "itertools", "keyword", "math", "operator", "reprlib"}
_LIGHT |= {"sqlite3", "time", "types"}


def test_it_imports_sqlite3_and_next_to_nothing_else() -> None:
    ended = subprocess.run([sys.executable, "-c", _IMPORTED], capture_output=True, text=True, check=True)
    imported = {name for name in ended.stdout.split() if not name.startswith("_")}
    assert imported <= _LIGHT


def test_another_command_does_not_even_import_sqlite3() -> None:
    code = "import sys, tokwatch.__main__; sys.exit('sqlite3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
