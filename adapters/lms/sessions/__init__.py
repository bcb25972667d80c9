"""Registrations and launch sessions of every format of content: their records, and what the LMS itself states."""
