"""The kinds of jobs: what each does next, and how it ends."""
