"""Recordings in which the true objects are known, as the OCAtari project reads them from memory."""
