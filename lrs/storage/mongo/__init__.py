"""The engine on MongoDB: one database a tenant."""
