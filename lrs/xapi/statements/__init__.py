"""Statements: from the received bytes to the stored record, and back."""
