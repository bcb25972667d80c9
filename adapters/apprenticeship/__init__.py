"""Apprenticeship providers' systems, one module for each kind of file."""
