"""Access to customer accounts: sessions, permission checks and access keys."""
