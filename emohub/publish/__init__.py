"""`emohub publish`: plan, push, verify. Every step may be stopped at any moment and run again."""
