"""Recognising known sprites exactly: palettes, components and their explanation."""
