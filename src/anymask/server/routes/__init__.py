"""The REST API: one router per file."""
