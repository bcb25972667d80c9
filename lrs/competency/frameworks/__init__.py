"""Competency frameworks: read from spreadsheets, kept as drafts, published once."""
