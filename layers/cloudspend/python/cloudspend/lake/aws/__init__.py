"""AWS adapters of the lake, one module per service: a function loads only those that it uses."""
