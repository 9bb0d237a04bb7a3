"""NES games that the user owns, as Gymnasium environments: ``NES/Game-v0``."""
