"""The lake on AWS, a module a service: a function loads the one it uses and no other."""
