"""Trains demo-breast-cancer-svm: a support vector machine with Platt scaling, and writes its whole folder.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python train.py            # writes the folder and seals it
    build/bin/python train.py --check    # exits 1 unless every file would come out byte for byte the same
"""

import pathlib
import sys

from skl2onnx import to_onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

sys.path.append(str(pathlib.Path(__file__).resolve().parents[4] / "scripts" / "python"))
import breast_cancer
import fhirsight_training as training

task = breast_cancer.load_task()


def fit(x, y):
    # The distances of five-fold cross-validation make the sigmoid, one machine on all rows gives the distances served.
    machine = CalibratedClassifierCV(SVC(C=2.0, kernel="rbf", gamma="scale"), method="sigmoid", cv=5, ensemble=False)
    return make_pipeline(StandardScaler(), machine).fit(x, y)


pipeline = fit(task.x_train, task.y_train)

breast_cancer.finish(__file__, task, {
    "title": "Breast cancer, support vector machine",
    "kind": "a support vector machine (radial kernel, standardised features) with Platt scaling",
    "library": training.library("scikit-learn"),
    "artefact": training.onnx_bytes(
        to_onnx(pipeline, task.x_train[:1].astype("float32"), name="svm", options={"zipmap": False})
    ),
    "input": {"name": "X", "type": "float32"},
    "output": {"name": "probabilities", "type": "float32", "columns": 2, "column": 1},
    "scores": lambda x: pipeline.predict_proba(x)[:, 1],
    "fit_and_score": lambda train, test: fit(task.x_train[train], task.y_train[train]).predict_proba(task.x_train[test])[:, 1],
    "explanation": breast_cancer.permutations("a model of which nothing exact is known"),
    "background": breast_cancer.background(task),
    "explanation_text": "Shapley values, estimated from permutations of the features against ten rows of the training data, each with a standard error. The contributions add up to the score.",
})
