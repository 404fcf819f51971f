"""Trains demo-breast-cancer-dense: a dense network in Keras with a sigmoid at its end, and writes its whole folder.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python train.py            # writes the folder and seals it
    build/bin/python train.py --check    # exits 1 unless every file would come out byte for byte the same
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[4] / "scripts" / "python"))
import keras_graph
import breast_cancer
import fhirsight_training as training
import keras
from keras import layers

keras_graph.one_thread()
task = breast_cancer.load_task()


def fit(x, y):
    """The network and the scale of its inputs: mean and standard deviation of the rows it was trained on."""
    keras_graph.repeatable(training.SEED)
    mean, deviation = x.mean(axis=0).astype("float32"), x.std(axis=0).astype("float32")
    network = keras.Sequential(
        [keras.Input((x.shape[1],)), layers.Dense(16, "relu"), layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")]
    )
    network.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    network.fit((x.astype("float32") - mean) / deviation, y, batch_size=32, epochs=25, verbose=0)
    return network, mean, deviation


def scores(fitted, x):
    network, mean, deviation = fitted
    return network((x.astype("float32") - mean) / deviation, training=False).numpy()[:, 0]


fitted = fit(task.x_train, task.y_train)


def artefact():
    network, mean, deviation = fitted
    graph = keras_graph.KerasGraph()
    result = graph.scaled("x", mean, deviation)
    for layer in network.layers:
        result = graph.dense(result, layer)
    return graph.model("dense", "x", [len(task.features)], result, "probability", 1)


breast_cancer.finish(__file__, task, {
    "title": "Breast cancer, dense network",
    "kind": "a dense network (30, 16, 8, 1) of the standardised features with a sigmoid at its end",
    "library": training.library("keras"),
    "artefact": artefact(),
    "input": {"name": "x", "type": "float32"},
    "output": {"name": "probability", "type": "float32", "columns": 1, "column": 0},
    "scores": lambda x: scores(fitted, x),
    "fit_and_score": lambda train, test: scores(fit(task.x_train[train], task.y_train[train]), task.x_train[test]),
    "explanation": breast_cancer.permutations("a model of which nothing exact is known"),
    "background": breast_cancer.background(task),
    "explanation_text": "Shapley values, estimated from permutations of the features against ten rows of the training data, each with a standard error. The contributions add up to the score.",
})
