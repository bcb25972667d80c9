"""The engine on MongoDB: one database for each tenant."""
