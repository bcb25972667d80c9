"""Prior learning: badges of other issuers that a learner brings along, and the issuers that are trusted."""
