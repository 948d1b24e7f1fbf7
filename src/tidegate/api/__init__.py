"""The REST API: routes over the actions and reads, and what all of them have in common."""
