"""Owed work: rounds, fair turns, the broker between machines, the sweep of blobs."""
