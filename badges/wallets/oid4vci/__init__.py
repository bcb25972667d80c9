"""OpenID for Verifiable Credential Issuance 1.0, by pre-authorized codes with a transaction code."""
