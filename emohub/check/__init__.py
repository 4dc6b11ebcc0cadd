"""`emohub check`: find problems of a built release offline, before anything is published."""
