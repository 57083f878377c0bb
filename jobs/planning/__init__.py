"""What a film is to become: from facts to units of work. Pure, but for the policy."""
