"""Quarter-hour rows of a fleet that nobody recorded: a few questions to a Prometheus instead of a recorder's entries.

What comes out has the shape of what a recorder rolls up, so that the one arithmetic of the exports holds for both.
"""
