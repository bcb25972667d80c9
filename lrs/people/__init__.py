"""The people that statements are about: identifiers, persons, joins and suggestions."""
