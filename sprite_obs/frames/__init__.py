"""Where frames come from: recordings, and files of other kinds."""
