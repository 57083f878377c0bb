"""The programs that are run, each behind a typed wish."""
