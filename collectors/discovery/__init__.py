"""Inference servers that run on this box: `scan.py` is the way in. Nothing lives here."""
