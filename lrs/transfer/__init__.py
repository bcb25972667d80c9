"""Forwards statements to another LRS."""
