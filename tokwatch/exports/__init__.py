"""What leaves tokwatch as data: hourly tables and the plain text of one Snapshot. Nothing lives here."""
