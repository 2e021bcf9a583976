"""JSON text to values, strictly."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from anymask.core.errors import FormatError


def parse_json(data: bytes) -> Any:
    """Parse UTF-8 JSON without NaN and infinities. Raises FormatError with the place of the first mistake."""
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 text (byte {error.start}); expected a JSON file") from error
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from error
    except RecursionError as error:
        raise FormatError("JSON nested too deeply; this is no file of masks") from error
    except ValueError as error:  # a whole number of thousands of digits
        raise FormatError(f"not usable JSON: {error}") from error


def write_json(value: Any) -> bytes:
    """Compact UTF-8 JSON with a newline at the end, the same bytes for the same value."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    # A file name that is no text holds lone surrogates, which UTF-8 lacks; an escape is JSON's way.
    return text.encode(errors="backslashreplace")


def _refuse(constant: str) -> NoReturn:
    raise FormatError(f"JSON with {constant}; numbers must be finite")
