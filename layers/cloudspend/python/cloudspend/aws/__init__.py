"""AWS clients, errors and the helpers that every adapter shares."""
