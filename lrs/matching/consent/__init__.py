"""Consent of learners: asked for by links, given, refused and withdrawn."""
