"""Backups of the embedded store: one file, taken while the server runs; and the restore into an empty folder."""
