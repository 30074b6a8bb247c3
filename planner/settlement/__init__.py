"""What a day promised, what it did, and where the difference comes from."""
