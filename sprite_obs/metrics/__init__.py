"""How well frames are rebuilt, and how well objects are found."""
