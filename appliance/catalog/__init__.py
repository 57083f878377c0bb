"""Titles: what is listed, in which state, under which genres, with which artwork."""
