"""Letting an account go: what the platform holds of it, its removal, and the proof."""
