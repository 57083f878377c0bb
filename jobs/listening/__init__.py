"""What films of a season share, by their sound."""
