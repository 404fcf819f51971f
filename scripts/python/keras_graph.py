"""Writes ONNX graphs from the weights of Keras models, node by node; the training script compares both on its rows.

Converters from TensorFlow trail behind Keras 3, and a graph of a few nodes is easier to read than to convert.
"""

import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its sums come out in another order on another processor
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow
from onnx import TensorProto, checker, helper, numpy_helper

OPSET = 17


def repeatable(seed):
    """The same weights at every run on the same machine."""
    keras.utils.set_random_seed(seed)
    tensorflow.config.experimental.enable_op_determinism()


def one_thread():
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)


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

    def dense(self, x, layer):
        """A Dense layer of Keras with linear, relu or sigmoid activation."""
        weights, bias = layer.get_weights()
        found = self.add("Add", self.add("MatMul", x, self.constant(weights)), self.constant(bias))
        operator = {"linear": None, "relu": "Relu", "sigmoid": "Sigmoid"}[layer.activation.__name__]
        return found if operator is None else self.add(operator, found)

    def gru(self, x, layer):
        """
        A GRU layer of Keras (`reset_after=True`, its default) over x [n, steps, channels]: its last state [n, units].
        Keras and ONNX both order the gates z, r, h; weights stand transposed, and the bias of the input before that of
        the state.
        """
        kernel, recurrent, bias = layer.get_weights()
        units = layer.units
        steps_first = self.add("Transpose", x, perm=[1, 0, 2])
        _, last = self.add(
            "GRU", steps_first, self.constant(kernel.T[np.newaxis]), self.constant(recurrent.T[np.newaxis]),
            self.constant(bias.reshape(1, 6 * units)), outputs=2, hidden_size=units, linear_before_reset=1,
        )
        return self.add("Squeeze", last, self.constant([0], np.int64))

    def model(self, name, input_name, input_shape, result, output_name, columns):
        """The model: input [n, *input_shape] and output [n, columns], both float32."""
        self.nodes.append(helper.make_node("Identity", [result], [output_name], name=output_name))
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, ["n", *input_shape])],
            [helper.make_tensor_value_info(output_name, TensorProto.FLOAT, ["n", columns])],
            initializer=self.constants,
        )
        model = helper.make_model(
            graph, producer_name="fhirsight", ir_version=10, opset_imports=[helper.make_opsetid("", OPSET)]
        )
        checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
