"""What makes pictures, one file each; each defines `Generator`."""
