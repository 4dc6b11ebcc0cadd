"""`emohub check`: what is wrong with a built release, found offline and before anything is pushed."""
