"""Trains demo-breast-cancer-boosting: gradient boosted trees, and writes its whole folder.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python train.py            # writes the folder and seals it
    build/bin/python train.py --check    # exits 1 unless every file would come out byte for byte the same
"""

import pathlib
import sys

import shap
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier

sys.path.append(str(pathlib.Path(__file__).resolve().parents[4] / "scripts" / "python"))
import breast_cancer
import fhirsight_training as training
from hitrates import write_hitrates

task = breast_cancer.load_task()


def fit(x, y):
    return GradientBoostingClassifier(n_estimators=60, max_depth=3, random_state=training.SEED).fit(x, y)


boosting = fit(task.x_train, task.y_train)


def explain(x):
    explainer = shap.TreeExplainer(boosting, feature_perturbation="tree_path_dependent")
    return {
        "library": training.library("shap"),
        "method": "tree-shap",
        "of": "log-odds of malignant",
        "base": float(explainer.expected_value[0]),
        "values": explainer.shap_values(x),
    }


breast_cancer.finish(__file__, task, {
    "title": "Breast cancer, gradient boosting",
    "kind": "60 gradient boosted trees of depth 3",
    "library": training.library("scikit-learn"),
    "artefact": training.onnx_bytes(
        write_hitrates(
            to_onnx(boosting, task.x_train[:1].astype("float32"), name="boosting", options={"zipmap": False}), boosting
        )
    ),
    "input": {"name": "X", "type": "float32"},
    "output": {"name": "probabilities", "type": "float32", "columns": 2, "column": 1, "classLabel": 1},
    "scores": lambda x: boosting.predict_proba(x)[:, 1],
    "fit_and_score": lambda train, test: fit(task.x_train[train], task.y_train[train]).predict_proba(task.x_train[test])[:, 1],
    "explain": explain,
    "explanation": {"method": "tree-shap", "against": breast_cancer.AVERAGE, "because": "exact for boosted trees"},
    "explanation_text": "TreeSHAP: how much each feature moves the log-odds from the average of the training data, along the paths of the trees. The contributions add up to the log-odds of the score.",
})
