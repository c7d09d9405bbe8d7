"""tokwatch: a power meter for token factories. Only the version lives here."""

__version__ = "0.1.0"
