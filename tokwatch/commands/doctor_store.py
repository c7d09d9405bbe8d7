"""`tokwatch doctor --store [FILE]`: the audit of one store, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokwatch.commands.checks import Check, exit_code, print_checks
from tokwatch.progress import Progress
from tokwatch.store.audit import audit


def run_audit(options: argparse.Namespace, store: Path) -> int:
    """Print every finding; 0 when none is a fault, else 1."""
    with Progress("checking", total=1.0) as progress:
        findings = list(audit(store, full=options.full, progress=progress.update))
    checks = [Check(each.id, each.verdict, each.found, each.hint) for each in findings]
    print_checks(checks, as_json=options.json)
    return exit_code(checks)
