"""How fast anymask is next to the published packages, on the same weights, in one run: `python -m bench`."""
