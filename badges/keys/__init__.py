"""The issuer of a tenant's badges and its keys: what is published of them, and what signs. Knows no credential."""
