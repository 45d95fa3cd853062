"""Several processes at once on a real database, some of which are killed."""
