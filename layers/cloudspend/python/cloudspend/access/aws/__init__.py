"""AWS adapters of the access room."""
