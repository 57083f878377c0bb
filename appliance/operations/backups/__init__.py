"""Backups: made while everything serves, sealed, verified, and brought back."""
