"""Pages of imports: for staff, and for a provider about its own files."""
