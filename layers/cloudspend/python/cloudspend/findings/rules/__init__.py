"""Rules that turn an account's data into observations, one module per family."""
