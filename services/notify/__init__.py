"""Tells people of alerts: what the outbox holds goes out by e-mail, webhook or chat, at least once."""
