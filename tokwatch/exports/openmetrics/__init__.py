"""A stored range as OpenMetrics text with timestamps, for a Prometheus to take up. Nothing lives here."""
