"""Trains demo-breast-cancer-forest: a random forest, exported with its ZipMap, and writes its whole folder.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python train.py            # writes the folder and seals it
    build/bin/python train.py --check    # exits 1 unless every file would come out byte for byte the same
"""

import pathlib
import sys

import shap
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier

sys.path.append(str(pathlib.Path(__file__).resolve().parents[4] / "scripts" / "python"))
import breast_cancer
import fhirsight_training as training
from hitrates import write_hitrates

task = breast_cancer.load_task()


def fit(x, y):
    forest = RandomForestClassifier(n_estimators=50, max_depth=5, random_state=training.SEED, n_jobs=1)
    return forest.fit(x, y)


forest = fit(task.x_train, task.y_train)


def explain(x):
    explainer = shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent")
    return {
        "library": training.library("shap"),
        "method": "tree-shap",
        "of": "probability of malignant",
        "base": float(explainer.expected_value[1]),
        "values": explainer.shap_values(x)[:, :, 1],
    }


breast_cancer.finish(__file__, task, {
    "title": "Breast cancer, random forest",
    "kind": "a random forest of 50 trees of depth 5",
    "library": training.library("scikit-learn"),
    # As scikit-learn's default has it: two outputs, the class and a ZipMap of probabilities.
    "artefact": training.onnx_bytes(
        write_hitrates(to_onnx(forest, task.x_train[:1].astype("float32"), name="forest"), forest)
    ),
    "input": {"name": "X", "type": "float32"},
    "output": {"name": "output_probability", "type": "float32", "columns": 2, "column": 1, "classLabel": 1},
    "scores": lambda x: forest.predict_proba(x)[:, 1],
    "fit_and_score": lambda train, test: fit(task.x_train[train], task.y_train[train]).predict_proba(task.x_train[test])[:, 1],
    "explain": explain,
    "explanation": {"method": "tree-shap", "against": breast_cancer.AVERAGE, "because": "exact for a random forest"},
    "cdsHooks": [
        {
            "hook": "patient-view",
            "title": "Breast cancer (demonstration)",
            "description": "Demonstration, not for clinical use: probability that a breast mass is malignant, from features of its aspirate.",
            "outcome": "malignant",
            "cards": {"scored": [{"from": 0, "show": "info"}], "abstained": "none", "notEligible": "none"},
        }
    ],
    "explanation_text": "TreeSHAP: how much each feature moves the probability from the average of the training data, along the paths of the trees. The contributions add up to the score.",
})
