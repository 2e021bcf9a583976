"""Cutting an OpenVINO model in two, so that each part can have its own precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anymask.predict.openvino_runtime import OpenVinoGraph


def split_model(model: Any, sources: tuple[str, ...]) -> tuple[Any, Any | None]:
    """(what depends on no input but `sources`, the rest); the first gives the second its further inputs.

    sources: names of inputs. The rest is None if nothing is left. `model` must not be used afterwards.
    """
    import openvino

    front = _reach(model, sources)
    if all(result.input_value(0).get_node().get_name() in front for result in model.get_results()):
        return model, None
    results, parameters = [], []
    for number, output in enumerate(_frontier(model, front)):
        name = f"front.{number}"
        targets = [t for t in output.get_target_inputs() if t.get_node().get_name() not in front]
        parameter = openvino.op.Parameter(output.get_element_type(), output.get_partial_shape())
        for target in targets:
            target.replace_source_output(parameter.output(0))
        parameter.output(0).get_tensor().set_names({name})
        result = openvino.op.Result(output)
        result.output(0).get_tensor().set_names({name})
        parameters.append(parameter)
        results.append(result)
    own = [p for p in model.get_parameters() if p.get_name() in front]
    others = [p for p in model.get_parameters() if p.get_name() not in front]
    return openvino.Model(results, own), openvino.Model(model.get_results(), others + parameters)


def _reach(model: Any, sources: tuple[str, ...]) -> set[str]:
    """Unique names of the operations that depend on the sources and on no other input."""
    front: set[str] = set()
    constant: set[str] = set()
    for op in model.get_ordered_ops():
        kind, name = op.get_type_name(), op.get_name()
        given = {op.input_value(i).get_node().get_name() for i in range(op.get_input_size())}
        if kind == "Parameter":
            if op.output(0).get_names() & set(sources):
                front.add(name)
        elif given <= constant:
            constant.add(name)
        elif kind != "Result" and given <= front | constant:
            front.add(name)
    return front


def _frontier(model: Any, front: set[str]) -> list[Any]:
    """Outputs of `front` that others read."""
    return [
        output
        for op in model.get_ordered_ops()
        if op.get_name() in front
        for output in op.outputs()
        if any(target.get_node().get_name() not in front for target in output.get_target_inputs())
    ]


class Chained:
    """The two parts as one `OpenGraph`."""

    def __init__(self, front: OpenVinoGraph, rest: OpenVinoGraph) -> None:
        self._front = front
        self._rest = rest
        self._of_front = front.inputs()
        self._of_rest = rest.inputs()

    def input_shape(self, name: str) -> tuple[int, ...]:
        """See `OpenGraph`."""
        return (self._front if name in self._of_front else self._rest).input_shape(name)

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `OpenGraph`."""
        mine = {name: value for name, value in inputs.items() if name in self._of_front}
        others = {name: value for name, value in inputs.items() if name not in self._of_front}
        # an output may have further names, of a time before the cut
        between = {name: value for name, value in self._front.run(mine).items() if name in self._of_rest}
        return self._rest.run({**others, **between})

    def release(self) -> None:
        """See `OpenGraph`."""
        self._front.release()
        self._rest.release()
