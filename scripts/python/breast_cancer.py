"""The task that five demonstration models share: malignant or benign, from 30 features of a fine needle aspirate.

The data are scikit-learn's copy of the Breast Cancer Wisconsin (Diagnostic) data set: 569 masses, 212 malignant.
Here: the features with their codes, the split into training and held-out rows, and the files of a folder, so that a
training script holds nothing but its model.
"""

import dataclasses
import math
import re

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, train_test_split

import fhirsight_training as training

SYSTEM = "https://fhirsight.org/fhir/CodeSystem/demonstration"
OUTCOME = "malignant"
AVERAGE = "the average of the training data"
FOLDS = 10
STATISTICS = {
    "mean": ("Mean", ""),
    "error": ("Standard error of the", "Error"),
    "worst": ("Mean of the three largest:", "Worst"),
}
WISCONSIN = {
    "citation": "Wolberg W, Mangasarian O, Street N, Street W. Breast Cancer Wisconsin (Diagnostic) [Dataset]. UCI Machine Learning Repository, 1993. CC BY 4.0",
    "doi": "10.24432/C5DW2B",
}
STREET = {
    "citation": "Street WN, Wolberg WH, Mangasarian OL. Nuclear feature extraction for breast tumor diagnosis. Proc SPIE 1905, Biomedical Image Processing and Biomedical Visualization, 1993:861-870",
    "doi": "10.1117/12.148698",
}


@dataclasses.dataclass(frozen=True)
class Feature:
    name: str  # lower camel case, in the feature map
    code: str  # in SYSTEM
    label: str


def read_features(names):
    """`mean fractal dimension` of the data is `meanFractalDimension`, code `mean-fractal-dimension`."""
    features = []
    for name in names:
        words = name.split()
        statistic = next(word for word in words if word in STATISTICS)
        what = " ".join(word for word in words if word != statistic)
        start, _ = STATISTICS[statistic]
        camel = re.sub(r" (.)", lambda match: match[1].upper(), name)
        features.append(Feature(camel, name.replace(" ", "-"), f"{start} {what} of the nuclei"))
    return features


@dataclasses.dataclass(frozen=True)
class Task:
    features: list[Feature]
    x_train: np.ndarray
    y_train: np.ndarray  # 1 malignant, 0 benign
    x_test: np.ndarray
    y_test: np.ndarray
    test_rows: np.ndarray  # row of the data set

    def folds(self):
        return list(StratifiedKFold(FOLDS, shuffle=True, random_state=training.SEED).split(self.x_train, self.y_train))


def load_task():
    """A quarter is held out, with as many malignant ones in proportion; the data set itself has 0 for malignant."""
    data = load_breast_cancer()
    malignant = 1 - data.target
    train, test = train_test_split(
        np.arange(len(malignant)), test_size=0.25, stratify=malignant, random_state=training.SEED
    )
    test = np.sort(test)
    return Task(
        read_features(data.feature_names), data.data[train], malignant[train], data.data[test], malignant[test], test
    )


def upper_limit(values):
    """Twice the largest of the data, to two digits: beyond it a value is taken for a mistake."""
    largest = 2 * float(np.max(values))
    unit = 10.0 ** (math.floor(math.log10(largest)) - 1)
    return round(math.ceil(largest / unit) * unit, 6)


def feature_map(task):
    everything = np.concatenate([task.x_train, task.x_test])
    return {
        "language": 1,
        "features": {
            feature.name: {
                "kind": "observation",
                "label": feature.label,
                "unit": "1",
                "codes": [f"{SYSTEM}|{feature.code}"],
                "status": ["final", "amended", "corrected"],
                "window": "P1Y",
                "pick": "latest",
                "plausible": [0, upper_limit(everything[:, index])],
                "missing": "abstain",
            }
            for index, feature in enumerate(task.features)
        },
        "population": {"exclude": [], "require": [], "ranges": []},
    }


def finish(script, task, model):
    """
    Writes the folder. `model` says: `title`, `kind` (words for the card), `artefact`, `input` and `output` (name and
    type of the tensors; the output with `columns` and the `column` of the malignant class), `scores` (library's own
    probability of malignant for rows), `fit_and_score` (for cross-validation), `library`, `explanation` (of the
    manifest), `explanation_text`, optionally `explain` (values for rows),
    `background` (rows), `directions` and `cdsHooks`.
    """
    folder = training.ModelFolder(script)
    names = [feature.name for feature in task.features]
    own = np.asarray(model["scores"](task.x_test), dtype=np.float64)
    dtype = np.float32 if model["input"]["type"] == "float32" else np.float64
    found = training.served(
        model["artefact"], {model["input"]["name"]: task.x_test.astype(dtype)}, model["output"]["name"]
    )[:, model["output"]["column"]]
    training.require_close(f"{folder.id}: model.onnx and {model['library']}", found, own, 1e-5)

    performance = training.test_performance(
        training.probability_measures, task.y_test, found, OUTCOME,
        "Held-out quarter of the Wisconsin data, drawn at random within each class",
    ) + training.cross_validated_performance(
        training.probability_measures, task.y_train, task.folds(), model["fit_and_score"], OUTCOME,
        "The other three quarters of the Wisconsin data, stratified folds",
    )
    order = np.argsort(own, kind="stable")
    chosen = [int(order[0]), int(np.argmin(np.abs(own - 0.5))), int(order[-1])]
    inputs = {name: task.x_test[:, index] for index, name in enumerate(names)}
    folder.put("model.onnx", model["artefact"])
    folder.put("feature-map.json", feature_map(task))
    folder.put(
        "golden/held-out.json",
        training.golden(
            f"Held-out rows of the Wisconsin data, scored by {model['library']} (training/train.py).",
            ["low risk", "nearest to an even chance", "high risk"], names, inputs, OUTCOME, own, chosen,
        ),
    )
    if "background" in model:
        folder.put("explanation/background.csv", training.background_bytes(names, model["background"]))
    said = manifest(folder, task, model)
    folder.put("model-card.json", training.card(folder, said, card_parts(task, model, performance)))
    folder.put(
        "training/test-matrix.csv",
        training.matrix(
            folder, names, OUTCOME, [f"wisconsin-{row}" for row in task.test_rows], inputs,
            [(name, task.x_test[:, index]) for index, name in enumerate(names)], "label", task.y_test,
        ),
    )
    some = np.arange(0, len(task.y_test), 6)
    explain = model.get("explain")
    folder.put(
        "training/test-vectors.json",
        training.json_bytes(
            training.vectors(
                model["library"], names, task.x_test[some], OUTCOME, own[some],
                None if explain is None else explain(task.x_test[some]),
            ),
            indent=None,
        ),
    )
    folder.seal(said)
    folder.end()


def manifest(folder, task, model):
    return {
        "id": folder.id,
        "version": folder.version,
        "demonstration": True,
        "title": f"{model['title']} (demonstration, not for clinical use)",
        "publisher": "fhirsight (training and folder); University of Wisconsin (data)",
        "description": f"Whether a breast mass is malignant, told from 30 features of the cell nuclei of a fine needle aspirate by {model['kind']}.",
        "intendedUse": "None in care. It shows how a model of this family is trained, checked, served and explained.",
        "cautions": [
            "Demonstration: not for clinical use.",
            "Trained on 426 masses of one hospital, published in 1993; nothing is known of how it does anywhere else.",
            "The features are those of one research program of image analysis; no laboratory reports them.",
        ],
        "sources": [WISCONSIN, STREET],
        "validFor": "P30D",
        "tensors": {
            "input": {
                "name": model["input"]["name"],
                "type": model["input"]["type"],
                "columns": [{"feature": feature.name} for feature in task.features],
            },
            "output": {key: model["output"][key] for key in ("name", "type", "columns")},
        },
        "outcomes": [
            {
                "id": OUTCOME,
                "kind": "probability",
                "label": "Malignant in the diagnosis that follows",
                "coding": [
                    {
                        "system": "http://snomed.info/sct",
                        "code": "254837009",
                        "display": "Malignant neoplasm of breast",
                    }
                ],
                "column": model["output"]["column"],
                **({"classLabel": model["output"]["classLabel"]} if "classLabel" in model["output"] else {}),
                "horizon": "P30D",
            }
        ],
        "explanation": model["explanation"],
        **{key: model[key] for key in ("directions", "cdsHooks") if key in model},
    }


def permutations(because):
    """The explanation of a manifest that goes with `background`."""
    return {
        "method": "permutation-shapley",
        "permutations": 5,
        "seed": 1,
        "against": "ten rows of the training data",
        "because": because,
    }


def background(task):
    """Ten rows of the training data, for `permutations`."""
    return np.random.default_rng(training.SEED).choice(task.x_train, 10, replace=False)


def card_parts(task, model, performance):
    return {
        "name": model["title"],
        "type": model["kind"][0].upper() + model["kind"][1:],
        "development": f"{len(task.y_train)} rows ({int(task.y_train.sum())} malignant) for training, {len(task.y_test)} ({int(task.y_test.sum())} malignant) held out, split at random within each class; made by training/train.py with {model['library']}, seed {training.SEED}. Nothing was tuned on the held-out rows. Their scores by the training library (training/test-vectors.json) are compared with those of the server, within 0.00001; three of them are golden cases, run at every load.",
        "trainingData": {
            "source": "Breast Cancer Wisconsin (Diagnostic), as scikit-learn contains it: digitised fine needle aspirates, University of Wisconsin Hospitals",
            "criteria": {"notAvailable": "The data set does not say who was included."},
            "demographics": {"notAvailable": "The data set holds no mark of a person."},
            "relevance": "None outside of this demonstration.",
        },
        "inputs": [
            {"feature": feature.name, "description": f"{feature.label}; a number as in the data, which states no units"}
            for feature in task.features
        ],
        "outputs": [
            {"outcome": OUTCOME, "description": "Probability (0 to 1) that the mass is malignant in the diagnosis that follows"}
        ],
        "performance": performance,
        "fairness": {
            "sensitiveInputs": [],
            "statement": "The data hold neither age nor sex, race or any other mark of a group: no difference between groups can be measured.",
        },
        "limitations": [
            "569 masses of one hospital, published in 1993: another microscope, stain or program gives other numbers.",
            "The held-out rows come from the same source as the training rows: the metrics say nothing of any other site.",
            "The data state no units; the features carry codes of this project's own CodeSystem and the unit 1.",
            "The horizon of 30 days is this project's choice: the data say what the diagnosis was, not when it was made.",
        ],
        "codeLists": [
            {"feature": feature.name, "source": "CodeSystem demonstration of this project"}
            for feature in task.features
        ],
        "explanation": model["explanation_text"],
        "data_licence": "Weights: Apache-2.0, as the project. Data: CC BY 4.0, attribution in NOTICE.",
    }
