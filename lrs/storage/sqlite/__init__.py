"""The engine on SQLite: one file for each tenant, one writer at a time, every commit synced."""
