"""Statements that leave for another LRS."""
