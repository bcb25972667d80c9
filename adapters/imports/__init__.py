"""Imports as jobs: a file arrives, is recognised, is walked by a worker, and can be followed."""
