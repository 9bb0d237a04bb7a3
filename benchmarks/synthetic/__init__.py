"""Frames made by code, whose sprites are known exactly, and the measures that need this."""
