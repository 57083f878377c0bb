"""``make release``: everything an installation needs, in one signed file."""
