"""Themes: a palette a file, the arithmetic of colours, and the list of what there is. No Textual here."""
