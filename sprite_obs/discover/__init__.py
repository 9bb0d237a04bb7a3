"""Learning sprites by counting: what recurs exactly, what rests, what moves alike."""
