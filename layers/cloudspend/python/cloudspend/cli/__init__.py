"""The `cloudspend` command line: parses options, calls use cases, prints results."""
