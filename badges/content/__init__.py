"""What a badge says and shows: an award as a credential, its evidence, its drawn image. Pure; knows no store."""
