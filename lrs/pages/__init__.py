"""What people see: templates, static files and their routes; no logic."""
