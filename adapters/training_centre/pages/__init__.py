"""The pages of training centres: sessions, checklists, and what a supervisor signs."""
