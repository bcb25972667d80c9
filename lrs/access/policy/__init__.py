"""The table of rights, in parts by subject, and the function that applies it."""
