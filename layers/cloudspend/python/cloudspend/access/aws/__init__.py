"""Customers' accounts on AWS: the way in, where keys are kept, and one real call a permission."""
