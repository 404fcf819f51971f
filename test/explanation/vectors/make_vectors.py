"""Trains small models and stores what the `shap` library says of them: <case>/model.onnx and <case>/vectors.json.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python make_vectors.py

The tests of `src/explanation` compare with these files; nothing here is needed to run them. Data are scikit-learn's
built-in sets, as float32: the models compare and weigh the same numbers here and in ONNX Runtime.
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import onnxruntime
import shap
import skl2onnx
from lightgbm import LGBMClassifier
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    ExtraTreesRegressor, GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from xgboost import XGBClassifier

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "scripts" / "python"))
from hitrates import write_hitrates  # noqa: E402

SEED = 20260101
OPSETS = {"": 17, "ai.onnx.ml": 3}
CANCER = load_breast_cancer()
CANCER_X = CANCER.data[:, [0, 1, 4, 7, 20, 27]].astype(np.float32)
CANCER_Y = CANCER.target
IRIS_X, IRIS_Y = (lambda data: (data.data.astype(np.float32), data.target))(load_iris())
DIABETES_X, DIABETES_Y = (lambda data: (data.data.astype(np.float32), data.target))(load_diabetes(scaled=False))


def rows_of(x, count=8):
    return x[np.random.default_rng(SEED).choice(len(x), count, replace=False)]


def to_onnx(model, x, zipmap=False):
    options = {} if zipmap or not hasattr(model, "predict_proba") else {"zipmap": False}
    return skl2onnx.to_onnx(model, x[:1], target_opset=OPSETS, options=options)


def store(name, onnx_model, outcome, rows, base, contributions, **more):
    """`outcome`: the output of the graph and the column of it that is explained, and in which scale."""
    output, column, columns, scale = outcome
    # The converters write the versions of the operators in any order, and names of their own.
    onnx_model.graph.name = name
    opsets = sorted(onnx_model.opset_import, key=lambda each: each.domain)
    del onnx_model.opset_import[:]
    onnx_model.opset_import.extend(opsets)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx_model.SerializeToString())
    vectors = {
        "input": onnx_model.graph.input[0].name,
        "output": output,
        "outputColumns": columns,
        "column": column,
        "scale": scale,
        "rows": np.asarray(rows, dtype=float).tolist(),
        "base": float(base),
        "contributions": np.asarray(contributions, dtype=float).tolist(),
        **more,
    }
    (folder / "vectors.json").write_text(json.dumps(vectors).replace("NaN", '"NaN"') + "\n", "utf-8")
    print(name, len(onnx_model.SerializeToString()), "bytes")


def trees(name, model, x, y, outcome, target=None, zipmap=False, rows=None, explained=lambda model, x: (model, x)):
    """`target`: which of several outputs of the shap library."""
    model.fit(x, y)
    onnx_model = write_hitrates(to_onnx(model, x, zipmap), model)
    rows = rows_of(x) if rows is None else rows
    last, seen = explained(model, rows)
    found = shap.TreeExplainer(last, feature_perturbation="tree_path_dependent")(seen)
    values, base = found.values, found.base_values
    if target is not None:
        values, base = values[..., target], base[..., target]
    store(name, onnx_model, outcome, rows, np.ravel(base)[0], values)


def linear(name, model, x, y, outcome, target=None):
    # In float64, for scikit-learn trains a linear model of float32 with sums of float32.
    exported, x = x, x.astype(float)
    model.fit(x, y)
    rows = rows_of(x)
    # A scaler before the linear model leaves the contributions what they are: both are linear.
    last, seen, background = model, rows, x
    if hasattr(model, "steps"):
        last, seen, background = model[-1], model[:-1].transform(rows), model[:-1].transform(x)
    found = shap.LinearExplainer(last, shap.maskers.Independent(background, max_samples=len(x)))(seen)
    values, base = found.values, np.atleast_2d(found.base_values)
    if target is not None:
        values, base = values[..., target], base[..., target]
    store(
        name, to_onnx(model, exported), outcome, rows, np.ravel(base)[0], values,
        means=x.mean(axis=0).tolist(),
    )


def lightgbm(name, x, y):
    x = x.copy()
    x[np.random.default_rng(SEED).random(x.shape) < 0.1] = np.nan
    model = LGBMClassifier(n_estimators=12, max_depth=4, num_leaves=8, random_state=SEED, verbose=-1, n_jobs=1).fit(x, y)
    onnx_model = convert_lightgbm(
        model, initial_types=[("x", FloatTensorType([None, x.shape[1]]))], zipmap=False, target_opset=15,
    )
    write_hitrates(onnx_model, model)
    rows = rows_of(x)
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    store(
        name, onnx_model, ("probabilities", 1, 2, "log-odds"), rows, np.ravel(explainer.expected_value)[-1],
        np.asarray(explainer.shap_values(rows)),
    )


def xgboost(name, x, y):
    x = x.copy()
    x[np.random.default_rng(SEED).random(x.shape) < 0.1] = np.nan
    model = XGBClassifier(n_estimators=12, max_depth=3, random_state=SEED, n_jobs=1).fit(x, y)
    onnx_model = convert_xgboost(model, initial_types=[("x", FloatTensorType([None, x.shape[1]]))], target_opset=15)
    write_hitrates(onnx_model, model)
    rows = rows_of(x)
    found = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")(rows)
    store(
        name, onnx_model, ("probabilities", 1, 2, "log-odds"), rows, np.ravel(found.base_values)[0], found.values,
    )


def permutation(name, x, y):
    """The exact Shapley values of a function that is not linear, against a background, by all coalitions."""
    model = make_pipeline(StandardScaler(), MLPClassifier((6,), max_iter=2000, random_state=SEED)).fit(x, y)
    onnx_model = to_onnx(model, x)
    session = onnxruntime.InferenceSession(onnx_model.SerializeToString(), providers=["CPUExecutionProvider"])
    score = lambda rows: session.run(["probabilities"], {"X": rows.astype(np.float32)})[0][:, 1].astype(float)
    rows, background = rows_of(x, 5), rows_of(x[::-1], 20)
    found = shap.ExactExplainer(score, shap.maskers.Independent(background, max_samples=20))(rows)
    store(
        name, onnx_model, ("probabilities", 1, 2, "score"), rows, np.ravel(found.base_values)[0], found.values,
        background=np.asarray(background, dtype=float).tolist(),
    )


def main():
    warnings.simplefilter("ignore")
    forest = dict(n_estimators=8, max_depth=5, random_state=SEED)
    boosting = dict(n_estimators=12, max_depth=3, random_state=SEED)
    trees("forest", RandomForestClassifier(**forest), CANCER_X, CANCER_Y, ("probabilities", 1, 2, "score"), 1)
    trees("forest-three", RandomForestClassifier(**forest), IRIS_X, IRIS_Y, ("probabilities", 2, 3, "score"), 2)
    trees("forest-zipmap", RandomForestClassifier(**forest), CANCER_X, CANCER_Y, ("output_probability", 0, 2, "score"), 0, True)
    trees("forest-regression", RandomForestRegressor(**forest), DIABETES_X, DIABETES_Y, ("variable", 0, 1, "score"))
    trees("extra-trees", ExtraTreesRegressor(**forest), DIABETES_X, DIABETES_Y, ("variable", 0, 1, "score"))
    trees("boosting", GradientBoostingClassifier(**boosting), CANCER_X, CANCER_Y, ("probabilities", 1, 2, "log-odds"))
    trees("boosting-regression", GradientBoostingRegressor(**boosting), DIABETES_X, DIABETES_Y, ("variable", 0, 1, "score"))
    trees(
        "scaled-forest", make_pipeline(StandardScaler(), RandomForestRegressor(**forest)), DIABETES_X, DIABETES_Y,
        ("variable", 0, 1, "score"), explained=lambda model, rows: (model[-1], model[:-1].transform(rows)),
    )
    lightgbm("lightgbm", CANCER_X, CANCER_Y)
    xgboost("xgboost", CANCER_X, CANCER_Y)
    linear("linear-regression", LinearRegression(), DIABETES_X, DIABETES_Y, ("variable", 0, 1, "score"))
    linear("scaled-ridge", make_pipeline(StandardScaler(), Ridge()), DIABETES_X, DIABETES_Y, ("variable", 0, 1, "score"))
    logistic = LogisticRegression(max_iter=5000)
    linear(
        "scaled-logistic", make_pipeline(StandardScaler(), logistic), CANCER_X, CANCER_Y,
        ("probabilities", 1, 2, "log-odds"),
    )
    linear(
        "multinomial", make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=5000)), IRIS_X, IRIS_Y,
        ("probabilities", 2, 3, "margin"), 2,
    )
    permutation("network", CANCER_X, CANCER_Y)


main()
