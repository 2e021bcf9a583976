"""From torch modules to what runs without torch: graph templates, model folders, ONNX files."""

from anymask.release.onnx_files import export_onnx

__all__ = ["export_onnx"]
