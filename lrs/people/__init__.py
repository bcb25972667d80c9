"""The people statements are about: persons, identifiers, links and consent."""
