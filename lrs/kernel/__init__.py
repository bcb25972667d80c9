"""What every room may use: errors, settings, names, keys, strict JSON, times, tables, outbound HTTP. Knows no room."""
