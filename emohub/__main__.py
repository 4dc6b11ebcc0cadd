"""`python -m emohub`: the same as the command `emohub`."""

from emohub.cli import main

main()
