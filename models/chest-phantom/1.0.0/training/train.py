"""Trains chest-phantom: a small convolutional network in Keras on drawings of phantoms.py, and writes its whole folder.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python train.py            # writes the folder and seals it
    build/bin/python train.py --check    # exits 1 unless every file would come out byte for byte the same
"""

import io
import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parents[4] / "scripts" / "python"))
import keras_graph
import fhirsight_training as training
import keras
from keras import layers
from phantoms import BITS, CLASSES, LARGEST, SIZE, dicom_file, draw_many

FEATURE, OUTCOME = "radiograph", "drawn"
PIXELS = SIZE // 2
EACH_TRAIN, EACH_TEST, EPOCHS = 300, 60, 10
SYSTEM = "https://fhirsight.org/fhir/CodeSystem/demonstration"
POPULATION = f"{EACH_TEST * len(CLASSES)} drawings that the network was not trained on, {EACH_TEST} of each class, made by the same program"

# The same steps as `preprocess` of the feature map: the window of all 12 bits, means of 2 by 2 pixels, one channel three times.
PREPROCESS = [
    {"step": "window", "center": 2 ** (BITS - 1), "width": 2**BITS, "function": "LINEAR"},
    {"step": "resample", "size": [PIXELS, PIXELS], "method": "area", "antialias": False},
    {"step": "channels", "as": "gray-to-3", "place": "last"},
]


def tensors(stored):
    """float32 [n, 100, 100, 3]. A linear window of centre 2048 and width 4096 gives x / 4095 (PS3.3 C.11.2.1.2.1)."""
    shown = stored.astype(np.float64) / LARGEST
    small = shown.reshape(-1, PIXELS, 2, PIXELS, 2).mean(axis=(2, 4))
    return np.repeat(small.astype(np.float32)[..., np.newaxis], 3, axis=3)


def npy_bytes(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


keras_graph.one_thread()
keras_graph.repeatable(training.SEED)
drawings, y_train = draw_many(EACH_TRAIN, training.SEED)
x_train = tensors(drawings)
held_out, y_test = draw_many(EACH_TEST, training.SEED + 1)
x_test = tensors(held_out)

network = keras.Sequential(
    [
        keras.Input((PIXELS, PIXELS, 3)),
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(64, "relu"),
        layers.Dense(len(CLASSES), "softmax"),
    ]
)
network.compile(keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy")
network.fit(x_train, y_train, batch_size=32, epochs=EPOCHS, verbose=0)

graph = keras_graph.KerasGraph()
convolution_1, pooling_1, convolution_2, pooling_2, _, dense, classes = network.layers
stage = graph.largest(graph.convolution(graph.channels_first("image"), convolution_1), pooling_1)
stage = graph.largest(graph.convolution(stage, convolution_2), pooling_2)
result = graph.dense(graph.dense(graph.flat(stage), dense), classes)
artefact = graph.model("phantom", "image", [PIXELS, PIXELS, 3], result, "probabilities", len(CLASSES))

folder = training.ModelFolder(__file__)
made_by = training.library("keras")
own = np.concatenate([network(x_test[at : at + 100], training=False).numpy() for at in range(0, len(x_test), 100)])
found = training.served(artefact, {"image": x_test}, "probabilities")
training.require_close(f"{folder.id}: model.onnx and {made_by}", found, own, 1e-5)
said = np.argmax(found, axis=1)
right = int(np.sum(said == y_test))
low, high = training.wilson_interval(right, len(y_test))
print(f"{folder.id}: {right} of {len(y_test)} held-out drawings")

manifest = {
    "id": folder.id,
    "version": folder.version,
    "demonstration": True,
    "title": "Chest phantoms (demonstration on drawn images, not for clinical use)",
    "publisher": "fhirsight",
    "description": "Says which of ten things was drawn into a picture that looks a little like a chest radiograph, by a small convolutional network.",
    "intendedUse": "None in care. It shows how a model of images is trained, fetched its pixels, checked, served, explained and reported.",
    "cautions": [
        "Demonstration on drawn images: not for clinical use.",
        "It has never seen a radiograph. What it says of one means nothing.",
        "What is drawn into the pictures stands for no finding, and the sides are those of the picture.",
    ],
    "sources": [{"citation": "Drawings made by training/phantoms.py of this folder; no publication"}],
    "validFor": "P30D",
    "tensors": {
        "input": {"name": "image", "type": "float32", "shape": [PIXELS, PIXELS, 3], "image": FEATURE},
        "output": {"name": "probabilities", "type": "float32", "columns": len(CLASSES)},
    },
    "outcomes": [
        {
            "id": OUTCOME,
            "kind": "class",
            "label": "What was drawn into the picture",
            "coding": [{"system": SYSTEM, "code": "phantom-content", "display": "Content of a drawn phantom"}],
            "classes": [
                {"number": number, "column": number, "code": code, "display": display}
                for number, (code, display) in enumerate(CLASSES)
            ],
        }
    ],
    "explanation": {
        "method": "occlusion",
        "reference": {},
        "saliency": {
            "feature": FEATURE,
            "by": "occlusion",
            "patch": [20, 20],
            "stride": [10, 10],
            "baseline": "mean",
            "most": 1,
        },
        "because": "The only input is an image, and no image stands for an average one; patches of the mean show where in it the answer comes from.",
    },
    "report": {
        "coding": [{"system": SYSTEM, "code": "phantom-report", "display": "Report on a drawn phantom"}],
        "title": "Report on a drawn phantom (demonstration, not for clinical use)",
    },
}
folder.put("model.onnx", artefact)
folder.put("feature-map.json", {
    "language": 1,
    "features": {
        FEATURE: {
            "kind": "image",
            "label": "Drawn chest phantom",
            "study": {"modality": ["CR", "DX"], "window": "P7D"},
            "images": {"modality": ["CR", "DX"], "bodyPart": ["CHEST"], "view": ["PA", "AP"]},
            "exclude": ["derived", "localizer", "burned-in", "secondary-capture"],
            "take": "one-image",
            "preprocess": PREPROCESS,
            "missing": "abstain",
        }
    },
    "population": {"exclude": [], "require": [], "ranges": []},
})
cases = []
for label in (0, 1, CLASSES.index(next(each for each in CLASSES if each[0] == "box"))):
    # The first held-out drawing of the class that the training library reads rightly.
    row = next(at for at in np.flatnonzero(y_test == label) if np.argmax(own[at]) == label)
    name = f"{CLASSES[label][0]}.npy"
    folder.put(f"golden/{name}", npy_bytes(x_test[row]))
    cases.append({"name": CLASSES[label][0], "inputs": {FEATURE: {"npy": name}}, "expected": {OUTCOME: label}, "tolerance": 1e-5})
folder.put("golden/held-out.json", {"source": f"Held-out drawings, read by {made_by} (training/train.py).", "cases": cases})
folder.put("model-card.json", training.card(folder, manifest, {
    "name": "Chest phantoms",
    "type": "convolutional network: two stages of convolution (8 and 16 filters of 3 by 3) and pooling, a dense layer of 64, softmax over ten classes",
    "development": f"{len(y_train)} drawings for training, {len(y_test)} held out; made by training/phantoms.py and training/train.py with {made_by}, seed {training.SEED}, {EPOCHS} epochs. Nothing was tuned on the held-out drawings. What the training library says of some of them (training/test-vectors.json) is compared with the server, within 0.00001; three of them are golden cases, run at every load.",
    "trainingData": {
        "source": f"{EACH_TRAIN} drawings of each of ten classes: ellipses, arcs and noise of 12 bits, 200 by 200 pixels",
        "criteria": "None: no picture is of a patient.",
        "demographics": {"notAvailable": "The pictures are of nobody."},
        "relevance": "None outside of this demonstration.",
    },
    "inputs": [{"feature": FEATURE, "description": "CR or DX image of a chest, 100 by 100 after the steps of the feature map, the gray value three times"}],
    "outputs": [{"outcome": OUTCOME, "description": "The most probable of ten classes, with its probability"}],
    "performance": [
        {
            "outcome": OUTCOME,
            "measure": "accuracy",
            "value": right / len(y_test),
            "interval": {"low": float(low), "high": float(high), "level": 0.95, "method": "Wilson"},
            "n": len(y_test),
            "population": POPULATION,
            "setting": "internal-test",
        }
    ],
    "fairness": {"sensitiveInputs": [], "statement": "The pictures show nobody: no difference between groups can be measured."},
    "limitations": [
        "Trained and tested on drawings of one program: the accuracy says how well the rule of that program was learned.",
        "The softmax knows ten classes and nothing else: it says one of them of every picture, a radiograph too.",
    ],
    "codeLists": [{"feature": FEATURE, "source": "Code strings of DICOM; this project's own choice"}],
    "explanation": "What moved the score is drawn over the picture.",
    "data_licence": "Weights and drawings: Apache-2.0, as the project.",
}))
some = np.arange(0, len(CLASSES))
folder.put("training/test-vectors.json", training.json_bytes({
    "library": made_by,
    "seed": training.SEED + 1,
    "stored": "the first drawing of each class, uint16 in little-endian: samples/<class>.dcm",
    "outcome": OUTCOME,
    "classes": [CLASSES[label][0] for label in y_test[some]],
    "sums": [float(np.sum(x_test[row], dtype=np.float64)) for row in some],
    "probabilities": own[some],
}, indent=None))
for row in some:
    label = int(y_test[row])
    if CLASSES[label][0] not in ("nothing-added", "spot-left", "level-right", "box"):
        continue
    out = io.BytesIO()
    dicom_file(held_out[row], label, 1).save_as(out, enforce_file_format=True)
    folder.put(f"training/samples/{CLASSES[label][0]}.dcm", out.getvalue())
folder.seal(manifest)
folder.end()
