"""What a database of an earlier revision becomes when the addon is upgraded."""
