"""What leaves for a player: media tokens, manifests over stored tracks, thumbnails."""
