"""Errors that a user can mend: one line that says what was expected, what came and what to do."""


class SpriteObsError(Exception):
    """A problem with the user's input; commands print it as one line and exit with code 2."""


class RecordingError(SpriteObsError):
    """Frames are missing, damaged, too few or of the wrong shape."""


class CheckpointError(SpriteObsError):
    """A checkpoint is missing, truncated, of another format or of another game."""


class StorageError(SpriteObsError):
    """A file could not be written; what was there before is unchanged."""


class ConfigError(SpriteObsError):
    """A configuration has an unknown key or a value of the wrong type or range."""


class DeviceError(SpriteObsError):
    """The requested device does not exist on this machine."""
