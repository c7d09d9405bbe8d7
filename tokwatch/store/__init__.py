"""The store: one SQLite file that keeps what the ledger adds up. Import from its modules; nothing lives here."""
