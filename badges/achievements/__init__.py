"""What badges stand for: achievements with their versions, their words and their images, and how often each is used."""
