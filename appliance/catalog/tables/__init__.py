"""Titles as tables: read, planned, imported and exported."""
