"""Tenants: the control store, opened tenants, their secrets, their records of actions."""
