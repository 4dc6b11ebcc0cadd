"""What every repo on the Hub needs: its words, its card, its folder in this checkout."""
