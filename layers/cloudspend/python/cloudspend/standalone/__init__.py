"""A bill converted without the platform: files named by hand, a folder instead of the lake."""
