"""Running an installation: how it looks, what it announces, whom it tells."""
