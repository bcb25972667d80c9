"""Statements: from the bytes at the door to the stored record, and back."""
