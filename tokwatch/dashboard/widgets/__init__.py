"""Widgets, one a file. Each turns a Frame into Lines; none computes a figure."""
