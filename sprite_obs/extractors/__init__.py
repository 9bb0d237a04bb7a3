"""Features for Stable-Baselines3's policies from the slots of `SpriteObservation`."""
