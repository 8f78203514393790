"""(e) A Quix Streams program that counts the same events into PostgreSQL."""
