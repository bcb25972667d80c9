"""The pages that people see: routes, and the data for templates."""
