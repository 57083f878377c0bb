"""Watching: sessions with heartbeats, and where each profile stopped."""
