"""Every error anymask raises on purpose.

    AnymaskError
    ├── InputError (ValueError)         the caller gave something that cannot be used
    │   ├── ImageError                  not an image, broken, too large
    │   ├── PromptError                 wrong shape, outside the image, not a number
    │   └── FormatError                 a file that is not what its format says
    ├── OutputError (OSError)           a result that cannot be written
    └── ModelError (RuntimeError)       something about a model
        ├── ChecksumError               a file that is not the one it should be
        ├── EmbeddingError              an embedding of another model or image
        └── MissingExtraError (ImportError)   an optional dependency is not installed

A message is one line: what was given, what was expected, what to do.
"""

from __future__ import annotations


class AnymaskError(Exception):
    """Base of every error that anymask raises on purpose."""


class InputError(AnymaskError, ValueError):
    """The caller gave something that cannot be used."""


class ImageError(InputError):
    """The image cannot be read: not an image, broken, empty or too large."""


class PromptError(InputError):
    """The prompt cannot be used: wrong shape, outside the image, not a number."""


class FormatError(InputError):
    """A file or value is not what its format says."""


class OutputError(AnymaskError, OSError):
    """A result cannot be written."""


class ModelError(AnymaskError, RuntimeError):
    """Something about a model: unknown, broken, incompatible."""


class ChecksumError(ModelError):
    """A file is not the one it should be."""


class EmbeddingError(ModelError):
    """The embedding belongs to another model or image."""


class MissingExtraError(ModelError, ImportError):
    """An optional dependency is not installed; the message names the extra to install."""
