"""Trains demo-breast-cancer-logistic: logistic regression behind a StandardScaler, and writes its whole folder.

The graph is what skl2onnx makes when it is given no option at all: two outputs, the class and a ZipMap.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python train.py            # writes the folder and seals it
    build/bin/python train.py --check    # exits 1 unless every file would come out byte for byte the same
"""

import pathlib
import sys

import shap
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.append(str(pathlib.Path(__file__).resolve().parents[4] / "scripts" / "python"))
import breast_cancer
import fhirsight_training as training

task = breast_cancer.load_task()


def fit(x, y):
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=1000)).fit(x, y)


pipeline = fit(task.x_train, task.y_train)
scaler, logistic = pipeline[0], pipeline[1]


def explain(x):
    background = scaler.transform(task.x_train)
    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.LinearExplainer(logistic, masker)
    return {
        "library": training.library("shap"),
        "method": "linear",
        "of": "log-odds of malignant",
        "base": float(explainer.expected_value),
        "values": explainer.shap_values(scaler.transform(x)),
    }


weights = dict(zip((feature.name for feature in task.features), logistic.coef_[0], strict=True))

breast_cancer.finish(__file__, task, {
    "title": "Breast cancer, logistic regression",
    "kind": "logistic regression of the standardised features",
    "library": training.library("scikit-learn"),
    "artefact": training.onnx_bytes(to_onnx(pipeline, task.x_train[:1].astype("float32"), name="logistic")),
    "input": {"name": "X", "type": "float32"},
    "output": {"name": "output_probability", "type": "float32", "columns": 2, "column": 1, "classLabel": 1},
    "scores": lambda x: pipeline.predict_proba(x)[:, 1],
    "fit_and_score": lambda train, test: fit(task.x_train[train], task.y_train[train]).predict_proba(task.x_train[test])[:, 1],
    "explain": explain,
    "directions": {
        name: "rises" if weights[name] > 0 else "falls" for name in ("worstRadius", "worstTexture", "worstConcavePoints")
    },
    "explanation": {
        "method": "linear",
        "means": task.x_train.mean(axis=0),
        "against": breast_cancer.AVERAGE,
        "because": "exact for a logistic regression",
    },
    "explanation_text": "Each coefficient times the difference of its feature from the average of the training data, in log-odds. The contributions add up to the log-odds of the score.",
})
