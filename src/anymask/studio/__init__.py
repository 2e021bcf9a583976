"""The studio: a labelling workspace in the browser. Needs the extra `studio`."""
