"""Licence services of providers: how each wants to be asked, and what it answers."""
