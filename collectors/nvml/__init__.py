"""NVIDIA GPUs of this box, read through NVML: `collector.py` is the way in. Nothing lives here."""
