"""A small NES game of our own, built by code: real frames, and the truth about what they show."""
