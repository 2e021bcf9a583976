"""The public door: pinned names, and an import that loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import anymask

HEAVY = ("torch", "openvino", "onnxruntime", "cv2", "PIL", "shapely", "pycocotools", "transformers", "scipy")


def loaded_after(code: str) -> set[str]:
    """Names of HEAVY that are loaded after running `code` in a fresh interpreter."""
    report = (
        f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stderr.splitlines()[-1].split())


def test_all_is_pinned() -> None:
    assert anymask.__all__ == [
        "ImageEmbedding",
        "MaskRecord",
        "Model",
        "Prediction",
        "Prompt",
        "Session",
        "__version__",
        "errors",
        "load",
        "read",
        "write",
    ]


@pytest.mark.parametrize("name", anymask.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(anymask, name) is getattr(anymask, name)
    assert name in dir(anymask)


def test_public_names_are_documented() -> None:
    for name in set(anymask.__all__) - {"__version__"}:
        assert getattr(anymask, name).__doc__, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'segment'"):
        _ = anymask.segment  # type: ignore[attr-defined]


def test_star_import_gives_all() -> None:
    assert loaded_after("from anymask import *\nassert load and Model and Session and errors.InputError") <= {
        "cv2", "PIL", "shapely", "pycocotools",
    }  # fmt: skip


def test_the_heavy_modules_would_be_seen() -> None:
    assert "PIL" in loaded_after("import PIL.Image")


@pytest.mark.parametrize(
    "code",
    [
        "import anymask",
        "import anymask; anymask.errors.PromptError; anymask.__version__",
        "import anymask; anymask.Prompt.click(1, 2)",
        "import anymask; anymask.load; anymask.Model; anymask.Session",
        "import anymask.cli.main",
        "from anymask.cli.main import run\nassert run(['--help']) == 0",
        "from anymask.cli.main import run\nassert run(['--version']) == 0",
        "from anymask.cli.main import run\nassert run(['segment', '--help']) == 0",
        "from anymask.cli.main import run\nassert run(['doctor', '--help']) == 0",
        "from anymask.cli.main import run\nassert run(['models', '--help']) == 0",
        "from anymask.cli.main import run\nassert run(['serve', '--help']) == 0",
        "from anymask.cli.main import run\nassert run(['finetune', '--help']) == 0",
        "from anymask.cli.main import run\nassert run(['segment', 'x.jpg', '--point', 'nonsense']) == 2",
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    assert loaded_after(code) == set()
