"""The rules: from what is known of an account to what is worth a person's time, one family each."""
