"""One host through a Prometheus-compatible server: its pages as sightings, live, imported, in a store of its own."""
