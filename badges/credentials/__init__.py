"""The signed credentials of a tenant and their status lists, as records. Nothing is issued here."""
