"""Tenants: the register of them, one opened for work, its secrets, its record of actions."""
