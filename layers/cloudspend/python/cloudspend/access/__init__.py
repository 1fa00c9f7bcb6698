"""Sessions in customer accounts, and the proof of each permission."""
