"""Environments and their frames."""
