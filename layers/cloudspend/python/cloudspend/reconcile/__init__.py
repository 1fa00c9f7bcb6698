"""Published periods against AWS's own figures: compare, explain, certify."""
