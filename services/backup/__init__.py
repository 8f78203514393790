"""Backups: the database by pg_dump, the event topics record by record, and a manifest of what is there.

What a folder holds is docs/operations.md's; nothing in it is needed to read it but pg_restore, gzip and JSON.
"""
