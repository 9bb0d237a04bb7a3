"""The sprite model: dictionary, encoder, background and compositor, a file per part."""
