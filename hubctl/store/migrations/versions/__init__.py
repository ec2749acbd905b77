"""The numbered migrations, oldest first; one that is released does not change."""
