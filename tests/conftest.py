"""Settings of the whole suite."""

from hypothesis import HealthCheck, settings

# Time limits would make the outcome depend on what else the machine does: they are never a test here.
settings.register_profile("tokwatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tokwatch")
