"""ONNX graphs from the weights of Keras models, node by node; the training script compares both on its rows.

Converters from TensorFlow trail behind Keras 3, and a graph of a few nodes is easier to read than to convert.
"""

import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its sums come out in another order on another processor
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow
from onnx_graph import Graph


def repeatable(seed):
    """The same weights at every run on the same machine."""
    keras.utils.set_random_seed(seed)
    tensorflow.config.experimental.enable_op_determinism()


def one_thread():
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)


class KerasGraph(Graph):
    """A graph that takes over the weights of Keras layers."""

    def dense(self, x, layer):
        """A Dense layer of Keras with linear, relu or sigmoid activation."""
        weights, bias = layer.get_weights()
        found = self.add("Add", self.add("MatMul", x, self.constant(weights)), self.constant(bias))
        return self.activated(found, layer)

    def activated(self, x, layer):
        operator = {"linear": None, "relu": "Relu", "sigmoid": "Sigmoid", "softmax": "Softmax"}[layer.activation.__name__]
        if operator is None:
            return x
        return self.add(operator, x, **({"axis": -1} if operator == "Softmax" else {}))

    def channels_first(self, x):
        """Keras keeps images as [n, rows, columns, channels], ONNX as [n, channels, rows, columns]."""
        return self.add("Transpose", x, perm=[0, 3, 1, 2])

    def convolution(self, x, layer):
        """A Conv2D layer of Keras without padding, over x [n, channels, rows, columns]."""
        assert layer.padding == "valid", "only convolutions without padding are taken over"
        weights, bias = layer.get_weights()
        found = self.add(
            "Conv", x, self.constant(weights.transpose(3, 2, 0, 1)), self.constant(bias),
            kernel_shape=list(layer.kernel_size), strides=list(layer.strides),
        )
        return self.activated(found, layer)

    def largest(self, x, layer):
        """A MaxPooling2D layer of Keras over x [n, channels, rows, columns]; rows and columns that fill no window are dropped."""
        return self.add("MaxPool", x, kernel_shape=list(layer.pool_size), strides=list(layer.strides))

    def flat(self, x):
        """A Flatten layer of Keras: over [n, rows, columns, channels], in which order its weights are."""
        return self.add("Flatten", self.add("Transpose", x, perm=[0, 2, 3, 1]), axis=1)

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
