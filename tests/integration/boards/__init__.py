"""The boards on a real database."""
