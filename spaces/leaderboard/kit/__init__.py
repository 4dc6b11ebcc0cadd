"""Files of the kit that this Space ships: numbers, tables, measures, and the form of an entry."""
