"""What to watch: the rows of the home page."""
