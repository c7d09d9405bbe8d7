"""First sight: the last known screen, painted before anything heavy is imported. Standard library only.

Textual takes a third of a second to import. Until then stands what was on screen when the dashboard was last open, with
its age, in the place where the live screen will stand; without such a frame the header alone.
"""
