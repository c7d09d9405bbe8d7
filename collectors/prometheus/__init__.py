"""A Prometheus-compatible server as the transport: queries and what they answer. Knows nothing of fleets or money."""
