"""From frames to a checkpoint."""
