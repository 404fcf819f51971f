"""Writes ONNX graphs node by node; the training script compares the graph with its library on held-out rows."""

import numpy as np
from onnx import checker, helper, numpy_helper

OPSET = 17


class Graph:
    """Collects nodes and constants; every method returns the name of its result."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype=dtype), name))
        return name

    def add(self, op, *inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{op.lower()}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, name=names[0], **attributes))
        return names[0] if outputs == 1 else names

    def scaled(self, x, mean, deviation):
        return self.add("Div", self.add("Sub", x, self.constant(mean)), self.constant(deviation))

    def model(self, name, input_name, input_shape, result, output_name, columns, dtype=np.float32):
        """The bytes of the model: input [n, *input_shape] and output [n, columns], both of one type."""
        element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.nodes.append(helper.make_node("Identity", [result], [output_name], name=output_name))
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(input_name, element, ["n", *input_shape])],
            [helper.make_tensor_value_info(output_name, element, ["n", columns])],
            initializer=self.constants,
        )
        model = helper.make_model(
            graph, producer_name="fhirsight", ir_version=10, opset_imports=[helper.make_opsetid("", OPSET)]
        )
        checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
