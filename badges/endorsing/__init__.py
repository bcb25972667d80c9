"""Endorsements of badges and of achievements, by this issuer and by others."""
