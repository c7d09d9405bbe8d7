"""The dashboard: draws Snapshots in a terminal. The only room that imports Textual."""
