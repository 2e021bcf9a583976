"""Masks in and out of the workspace as files of every format."""
