"""Synthetic data sets with exact masks: cut-outs of real objects, composed onto real backgrounds."""

from anymask.synthesize.compose import Composed, Placed, compose
from anymask.synthesize.cutouts import Cutout, cutouts_of, read_cutouts
from anymask.synthesize.job import synthesize
from anymask.synthesize.settings import SynthesisSettings

__all__ = [
    "Composed",
    "Cutout",
    "Placed",
    "SynthesisSettings",
    "compose",
    "cutouts_of",
    "read_cutouts",
    "synthesize",
]
