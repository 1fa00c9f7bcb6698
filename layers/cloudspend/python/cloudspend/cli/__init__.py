"""The `cloudspend` command."""
