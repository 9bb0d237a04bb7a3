"""Many environments at once: the sprites of all their frames are found in one pass."""
