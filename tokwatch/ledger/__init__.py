"""The ledger: pure functions over entries, no I/O. Quantities are added up here and divided last."""
