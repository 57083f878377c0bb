"""People: accounts, passwords, sign-in, sessions and second factors."""
