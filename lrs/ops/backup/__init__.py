"""Backups of the embedded store: one file, taken while the server runs, and its way back into an empty folder."""
