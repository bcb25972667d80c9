"""The engine on SQLite: one file a tenant, one writer at a time, every commit synced."""
