"""Questions to the stored past, one a file; see feeds/question.py."""
