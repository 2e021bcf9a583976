"""The studio's API: one router per resource, paths below /api/v1."""
