"""FOCUS columns: rules, mappings and schemas."""
