"""Conversion of a bill without the platform: files chosen by hand, a folder instead of the lake."""
