"""Channels that belong to no other room."""
