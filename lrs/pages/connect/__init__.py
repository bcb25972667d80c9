"""The pages on which platforms are connected."""
