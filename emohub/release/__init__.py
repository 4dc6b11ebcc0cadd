"""From raw files to repos for the Hub."""
