"""Data Integrity proofs over JSON-LD: fixed contexts, the canonical form, the signature. Knows no tenant's records."""
