"""How well frames are rebuilt."""
