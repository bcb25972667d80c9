"""Work that is owed: rounds, whose turn it is, the broker between machines, the sweep of blobs."""
