"""What runs when a compiled program is called."""
