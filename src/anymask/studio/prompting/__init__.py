"""Prompts to masks: clicks, boxes, corrections, everything mode, propagation, words."""
