"""Competency frameworks, level scales, rules, and the awards that follow from evidence."""
