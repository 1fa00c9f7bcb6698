"""What the platform says to people: the catalogue of events, and the text that alerts carry."""
