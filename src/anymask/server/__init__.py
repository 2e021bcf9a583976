"""anymask over HTTP: a REST API, and the protocols of labelling tools. Needs the extra `studio`."""
