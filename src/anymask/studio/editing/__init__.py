"""Mask algebra, outlines and cut-outs on the server, for clients that do not do these themselves."""
