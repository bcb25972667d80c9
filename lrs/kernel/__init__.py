"""What every room may use: errors, settings, names and keys, strict JSON, times, tables, the way out. Knows no room."""
