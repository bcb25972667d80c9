"""Launching a unit, and what launched content may send. Knows every format."""
