"""Trains demo-lab-anomaly: an autoencoder of a laboratory panel, and writes its whole folder.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python train.py            # writes the folder and seals it
    build/bin/python train.py --check    # exits 1 unless every file would come out byte for byte the same

The rows it trains on, matrix.csv, were made by extract.sh: `fhirsight extract` read the sample patients of fhirsight.
"""

import pathlib
import random
import sys

import numpy as np
from sklearn.neural_network import MLPRegressor

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[3] / "scripts" / "python"))
import fhirsight_training as training
from onnx_graph import Graph

OUTCOME = "panel-anomaly"
PERCENTILE = 95
FEATURE = {"kind": "observation", "status": ["final", "amended", "corrected"], "window": "P3Y", "pick": "latest", "missing": "abstain"}
LN = [{"log": "ln"}]
# feature: label, unit, LOINC codes, analyte, plausible range, transform of the column
PANEL = {
    "creatinine": ("Creatinine", "mg/dL", ["2160-0", "38483-4", "14682-9"], "creatinine", [0.1, 40], LN),
    "glucose": ("Glucose", "mg/dL", ["2345-7", "2339-0", "14749-6"], "glucose", [10, 2000], LN),
    "sodium": ("Sodium", "mmol/L", ["2951-2"], "sodium", [90, 200], None),
    "potassium": ("Potassium", "mmol/L", ["2823-3"], "potassium", [1, 12], None),
    "aspartateAminotransferase": ("Aspartate aminotransferase", "U/L", ["1920-8"], None, [1, 20000], LN),
    "alanineAminotransferase": ("Alanine aminotransferase", "U/L", ["1742-6"], None, [1, 20000], LN),
    "totalCholesterol": ("Total cholesterol", "mg/dL", ["2093-3", "14647-2"], "total-cholesterol", [40, 1000], None),
    "hdlCholesterol": ("HDL cholesterol", "mg/dL", ["2085-9", "14646-4"], "hdl-cholesterol", [5, 200], None),
    "triglycerides": ("Triglycerides", "mg/dL", ["2571-8", "14927-8"], "triglycerides", [10, 5000], LN),
}
names = list(PANEL)
feature_map = {
    "language": 1,
    "features": {
        name: {
            **FEATURE,
            "label": label,
            "unit": unit,
            "codes": [f"http://loinc.org|{code}" for code in codes],
            **({} if analyte is None else {"analyte": analyte}),
            "plausible": plausible,
        }
        for name, (label, unit, codes, analyte, plausible, _) in PANEL.items()
    },
    "population": {"exclude": [], "require": [], "ranges": []},
}
folder = training.ModelFolder(__file__)
said = {
    "id": folder.id,
    "version": folder.version,
    "demonstration": True,
    "title": "Anomaly in a laboratory panel (demonstration, not for clinical use)",
    "publisher": "fhirsight",
    "description": "How unusual nine laboratory values are together: the reconstruction error of an autoencoder that was trained on sample patients.",
    "intendedUse": "None in care. It shows how a model that scores anomalies is trained, checked, served and explained.",
    "cautions": [
        "Demonstration on synthetic patients: not for clinical use.",
        "A high score says that values go together in an unusual way, not what is wrong, nor that anything is.",
        "What is usual was learned from sample patients that a program made.",
    ],
    "sources": [{"citation": "Sample patients of fhirsight (src/cli/sample-patients); no publication"}],
    "validFor": "P30D",
    "tensors": {
        "input": {
            "name": "panel",
            "type": "float64",
            "columns": [
                {"feature": name, **({} if transform is None else {"transform": transform})}
                for name, (*_, transform) in PANEL.items()
            ],
        },
        "output": {"name": "error", "type": "float64", "columns": 1},
    },
}
matrix_file = HERE / "matrix.csv"
reference = {}
if matrix_file.exists():
    matrix = training.read_matrix(matrix_file)
    values = np.array([[float(row[name]) for name in names] for row in matrix])
    # Patients are drawn one after the other: the first quarter is as good as any other.
    held_out = len(values) // 4
    usual, trained_on = values[:held_out], values[held_out:]
    reference = {name: float(np.median(trained_on[:, index])) for index, name in enumerate(names)}
said["explanation"] = {"method": "occlusion", "reference": reference, "because": "the medians of the training data"}


def outcome(threshold):
    return {
        "id": OUTCOME,
        "kind": "anomaly",
        "label": "Anomaly of the laboratory panel",
        "coding": [
            {
                "system": "https://fhirsight.org/fhir/CodeSystem/demonstration",
                "code": "lab-panel-anomaly",
                "display": "Anomaly of a laboratory panel",
            }
        ],
        "column": 0,
        "threshold": {
            "value": threshold,
            "percentile": PERCENTILE,
            "source": "the panels of the training data, each scored by the model that was trained on them",
        },
        "decimals": 2,
        "effective": names,
    }


# Before there is a model no threshold is known; that of the draft is read by nobody.
said["outcomes"] = [outcome(1)]
folder.draft(said, feature_map)

logs = np.array([PANEL[name][-1] is not None for name in names])


def transformed(x):
    """As the manifest has it: the columns of the input."""
    return np.where(logs, np.log(x), x)


def fit(x):
    """The autoencoder, and mean and standard deviation of the columns that it was trained on."""
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    network = MLPRegressor(hidden_layer_sizes=(4,), activation="tanh", alpha=0.01, max_iter=3000, tol=1e-6, random_state=training.SEED)
    z = (x - mean) / deviation
    return network.fit(z, z), mean, deviation


def errors(fitted, x):
    """Mean of the squares of what the network makes of the values less the values, in standard deviations."""
    network, mean, deviation = fitted
    z = (x - mean) / deviation
    return np.mean((network.predict(z) - z) ** 2, axis=1)


def spoil(x, seed):
    """Panels that something went wrong with, by a known rule; in turn each of three mishaps."""
    draw = random.Random(seed)
    at = {name: index for index, name in enumerate(names)}
    spoiled = x.copy()
    for row, panel in enumerate(spoiled):
        if row % 3 == 0:  # a haemolysed sample
            panel[at["potassium"]] += draw.uniform(1.2, 2.5)
            panel[at["aspartateAminotransferase"]] *= draw.uniform(1.8, 3)
        elif row % 3 == 1:  # drawn beside an infusion of glucose
            panel[at["glucose"]] *= draw.uniform(3, 6)
            panel[at["sodium"]] -= draw.uniform(5, 10)
        else:  # two tubes of different patients: the values of one half are of another row
            other = x[(row + 1 + draw.randrange(len(x) - 1)) % len(x)]
            for name in ("aspartateAminotransferase", "totalCholesterol", "glucose"):
                panel[at[name]] = other[at[name]]
    return np.round(spoiled, 6)


fitted = fit(transformed(trained_on))
network, mean, deviation = fitted
said["outcomes"] = [outcome(float(np.percentile(errors(fitted, transformed(trained_on)), PERCENTILE)))]
graph = Graph()
f64 = lambda value: graph.constant(value, np.float64)
z = graph.add("Div", graph.add("Sub", "panel", f64(mean)), f64(deviation))
hidden = graph.add("Tanh", graph.add("Add", graph.add("MatMul", z, f64(network.coefs_[0])), f64(network.intercepts_[0])))
made = graph.add("Add", graph.add("MatMul", hidden, f64(network.coefs_[1])), f64(network.intercepts_[1]))
difference = graph.add("Sub", made, z)
# A product with a column of 1/9 is the mean, and the same bits in a batch of any size.
mean_square = graph.add("MatMul", graph.add("Mul", difference, difference), f64(np.full((len(names), 1), 1 / len(names))))
artefact = graph.model("autoencoder", "panel", [len(names)], mean_square, "error", 1, np.float64)

test_values = np.concatenate([usual, spoil(usual, training.SEED)])
labels = np.concatenate([np.zeros(len(usual), int), np.ones(len(usual), int)])
x_test = transformed(test_values)
made_by = training.library("scikit-learn")
own = errors(fitted, x_test)
found = training.served(artefact, {"panel": x_test}, "error")[:, 0]
training.require_close(f"{folder.id}: model.onnx and {made_by}", found, own, 1e-5)

FOLDS = 5
in_folds = np.array_split(np.arange(len(trained_on)), FOLDS)


def fold_truth_and_scores(rest):
    left = np.concatenate([fold for fold in in_folds if fold is not rest])
    tested = np.concatenate([trained_on[rest], spoil(trained_on[rest], training.SEED)])
    return np.repeat([0, 1], len(rest)), errors(fit(transformed(trained_on[left])), transformed(tested))


# For cross-validation each fold brings its spoiled copies along: rows 0 to n are as they were, n to 2n spoiled.
n = len(trained_on)
folds = [(rest, np.concatenate([rest, rest + n])) for rest in in_folds]
performance = training.test_performance(
    training.ranking_measures, labels, found, OUTCOME,
    "A quarter of the sample patients, held out, and the same panels spoiled by a known rule",
) + training.cross_validated_performance(
    training.ranking_measures, np.repeat([0, 1], n), folds, lambda rest, _: fold_truth_and_scores(rest)[1], OUTCOME,
    "The other three quarters of the sample patients, and the same panels spoiled by a known rule",
)

inputs = {name: test_values[:, index] for index, name in enumerate(names)}
order = np.argsort(own, kind="stable")
chosen = [int(order[0]), int(order[len(order) // 2]), int(order[-1])]
folder.put("model.onnx", artefact)
folder.put("feature-map.json", feature_map)
folder.put("golden/held-out.json", training.golden(
    f"Held-out panels of sample patients, one of them spoiled by a known rule, scored by {made_by} (training/train.py).",
    ["usual panel", "median", "unusual panel"], names, inputs, OUTCOME, own, chosen,
))
folder.put("model-card.json", training.card(folder, said, {
    "name": "Anomaly in a laboratory panel",
    "type": "Autoencoder (9, 4, 9; tanh) of standardised values, five of them as logarithms; the score is its mean squared error",
    "development": f"{len(trained_on)} panels for training, {held_out} held out; made by training/train.py with {made_by}, seed {training.SEED}, from the matrix that `fhirsight extract` made of sample patients. Nothing was tuned on the held-out panels. Their scores by the training library (training/test-vectors.json) are compared with those of the server, within 0.00001; three of them are golden cases, run at every load.",
    "trainingData": {
        "source": "Sample patients of fhirsight: 400 synthetic adults (seed 7, reference date 2026-01-01)",
        "criteria": "Those of whom all nine values were found within three years.",
        "demographics": {"notAvailable": "The patients were made by a program."},
        "relevance": "None outside of this demonstration.",
    },
    "inputs": [{"feature": name, "description": f"{label}, {unit}, latest within three years"} for name, (label, unit, *_) in PANEL.items()],
    "outputs": [{"outcome": OUTCOME, "description": "Mean squared reconstruction error, in squared standard deviations of the training data; 0 for a panel that is just as expected, without an upper limit"}],
    "performance": performance,
    "fairness": {"sensitiveInputs": [], "statement": "The patients were made by a program: no difference between groups can be measured."},
    "limitations": [
        "What is usual was learned from synthetic patients, whose values are made by a rule.",
        "The anomalies of the test were made by a rule too: haemolysis, an infusion of glucose, mixed up tubes.",
        "The values need not be of one sample: each is the latest within three years.",
        "The threshold is the 95th percentile of the training data: which score deserves a look was not studied.",
    ],
    "codeLists": [{"feature": name, "source": "LOINC, the codes that sample patients use"} for name in names],
    "explanation": "The difference that each value makes when the median of the training data stands in its place.",
    "data_licence": "Weights and sample patients: Apache-2.0, as the project.",
}))
folder.put("training/test-matrix.csv", training.matrix(
    folder, names, OUTCOME, [*(row["subject"] for row in matrix[:held_out]), *(f"{row['subject']}-spoiled" for row in matrix[:held_out])],
    inputs, [(name, x_test[:, index]) for index, name in enumerate(names)], "label", labels,
))
some = np.concatenate([np.arange(0, held_out, 4), np.arange(held_out, 2 * held_out, 8)])
subjects = [row["subject"] for row in matrix[:held_out]]
folder.put("training/test-vectors.json", training.json_bytes(
    training.vectors(
        made_by, names, x_test[some], OUTCOME, own[some],
        subjects=[subjects[row] if row < held_out else None for row in some],
    ),
    indent=None,
))
folder.seal(said)
folder.end()
