"""Measuring how well a model segments: protocols, data, reports."""
