"""From sprites to what an agent sees."""
