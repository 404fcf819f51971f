"""Trains demo-diabetes-progression: linear regression of values in real units, and writes its whole folder.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python train.py            # writes the folder and seals it
    build/bin/python train.py --check    # exits 1 unless every file would come out byte for byte the same
"""

import math
import pathlib
import sys

import numpy as np
import shap
from skl2onnx import to_onnx
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, train_test_split

sys.path.append(str(pathlib.Path(__file__).resolve().parents[4] / "scripts" / "python"))
import fhirsight_training as training

OWN = "https://fhirsight.org/fhir/CodeSystem/demonstration"
LOINC = "http://loinc.org"
OUTCOME = "progression"
EFRON = {
    "citation": "Efron B, Hastie T, Johnstone I, Tibshirani R. Least angle regression. Ann Statist 2004;32:407-499",
    "doi": "10.1214/009053604000000067",
}


def observed(label, code, unit, plausible, analyte=None):
    return {
        "kind": "observation",
        "label": label,
        "unit": unit,
        "codes": [code],
        "status": ["final", "amended", "corrected"],
        "window": "P1Y",
        "pick": "latest",
        **({} if analyte is None else {"analyte": analyte}),
        "plausible": plausible,
        "missing": "abstain",
    }


# In the order of the data. A LOINC code stands only where the description of the data says just that.
FEATURES = {
    "age": {"kind": "demographics", "label": "Age", "element": "age", "unit": "a", "plausible": [0, 130]},
    "sexInData": observed("Sex as the data code it (1 or 2, not said which is which)", f"{OWN}|diabetes-data-sex", "1", [1, 2]),
    "bodyMassIndex": observed("Body mass index", f"{LOINC}|39156-5", "kg/m2", [10, 80]),
    "averageBloodPressure": observed("Average blood pressure", f"{OWN}|average-blood-pressure", "mm[Hg]", [40, 180]),
    "totalCholesterol": observed("Total cholesterol", f"{LOINC}|2093-3", "mg/dL", [40, 600], "total-cholesterol"),
    "ldlCholesterol": observed("LDL cholesterol", f"{LOINC}|2089-1", "mg/dL", [10, 500], "ldl-cholesterol"),
    "hdlCholesterol": observed("HDL cholesterol", f"{LOINC}|2085-9", "mg/dL", [5, 150], "hdl-cholesterol"),
    "cholesterolRatio": observed("Total cholesterol / HDL cholesterol", f"{LOINC}|9830-1", "1", [1, 20]),
    "logTriglycerides": observed("Logarithm of triglycerides (possibly)", f"{OWN}|log-triglycerides", "1", [2, 8]),
    "glucose": observed("Glucose", f"{LOINC}|2345-7", "mg/dL", [20, 500], "glucose"),
}
DESCRIPTIONS = {
    "age": "Completed years at as-of",
    "sexInData": "1 or 2 as in the data, which do not say which is which; it cannot be told from a Patient",
    "bodyMassIndex": "kg/m2",
    "averageBloodPressure": "\"Average blood pressure\" of the data; taken to be mm[Hg], the data do not say of what it is an average",
    "totalCholesterol": "mg/dL; mmol/L is converted",
    "ldlCholesterol": "mg/dL; mmol/L is converted",
    "hdlCholesterol": "mg/dL; mmol/L is converted",
    "cholesterolRatio": "Total cholesterol / HDL cholesterol, as in the data",
    "logTriglycerides": "\"Possibly log of serum triglycerides level\" in the description of the data: not computed from triglycerides",
    "glucose": "mg/dL; mmol/L is converted",
}
names = list(FEATURES)

data = load_diabetes(scaled=False)
train, test = train_test_split(np.arange(len(data.target)), test_size=0.25, random_state=training.SEED)
test = np.sort(test)
x_train, y_train, x_test, y_test = data.data[train], data.target[train], data.data[test], data.target[test]


def fit(x, y):
    return LinearRegression().fit(x, y)


linear = fit(x_train, y_train)
folder = training.ModelFolder(__file__)
made_by = training.library("scikit-learn")
artefact = training.onnx_bytes(to_onnx(linear, x_train[:1], name="linear"))
own = linear.predict(x_test)
found = training.served(artefact, {"X": x_test}, "variable")[:, 0]
training.require_close(f"{folder.id}: model.onnx and {made_by}", found, own, 1e-5)

performance = training.test_performance(
    training.number_measures, y_test, found, OUTCOME, "Held-out quarter of the diabetes data, drawn at random"
) + training.cross_validated_performance(
    training.number_measures, y_train, list(KFold(10, shuffle=True, random_state=training.SEED).split(x_train)),
    lambda fold, rest: fit(x_train[fold], y_train[fold]).predict(x_train[rest]), OUTCOME,
    "The other three quarters of the diabetes data",
)


def reachable():
    """Least and greatest value that the equation can give within the plausible ranges of its inputs."""
    ends = [[weight * end for end in FEATURES[name]["plausible"]] for name, weight in zip(names, linear.coef_)]
    least = linear.intercept_ + sum(min(pair) for pair in ends)
    most = linear.intercept_ + sum(max(pair) for pair in ends)
    return [math.floor(least), math.ceil(most)]


def explain(x):
    masker = shap.maskers.Independent(x_train, max_samples=len(x_train))
    explainer = shap.LinearExplainer(linear, masker)
    return {
        "library": training.library("shap"),
        "method": "linear",
        "of": "progression",
        "base": float(explainer.expected_value),
        "values": explainer.shap_values(x),
    }


said = {
    "id": folder.id,
    "version": folder.version,
    "demonstration": True,
    "title": "Diabetes progression, linear regression (demonstration, not for clinical use)",
    "publisher": "fhirsight (training and folder); Efron, Hastie, Johnstone and Tibshirani (data)",
    "description": "A measure of the progression of diabetes one year after baseline, by linear regression of ten values in the units of the data.",
    "intendedUse": "None in care. It shows how a model of this family is trained, checked, served and explained.",
    "cautions": [
        "Demonstration: not for clinical use.",
        "The data name no unit for what is predicted, and do not say which sex is 1 and which is 2.",
        "About half of the variation between patients is not explained.",
    ],
    "sources": [EFRON],
    "validFor": "P30D",
    "tensors": {
        "input": {"name": "X", "type": "float64", "columns": [{"feature": name} for name in names]},
        "output": {"name": "variable", "type": "float64", "columns": 1},
    },
    "outcomes": [
        {
            "id": OUTCOME,
            "kind": "measurement",
            "label": "Disease progression one year after baseline",
            "coding": [
                {
                    "system": OWN,
                    "code": "diabetes-progression",
                    "display": "Disease progression one year after baseline",
                }
            ],
            "column": 0,
            "unit": "1",
            "range": reachable(),
            "decimals": 0,
            "horizon": "P1Y",
        }
    ],
    "explanation": {
        "method": "linear",
        "means": x_train.mean(axis=0),
        "against": "the average of the training data",
        "because": "exact for a linear regression",
    },
    "directions": {"bodyMassIndex": "rises", "averageBloodPressure": "rises", "logTriglycerides": "rises"},
}
inputs = {name: x_test[:, index] for index, name in enumerate(names)}
order = np.argsort(own, kind="stable")
chosen = [int(order[0]), int(order[len(order) // 2]), int(order[-1])]
folder.put("model.onnx", artefact)
folder.put("feature-map.json", {"language": 1, "features": FEATURES, "population": {"exclude": [], "require": [], "ranges": []}})
folder.put(
    "golden/held-out.json",
    training.golden(
        f"Held-out rows of the diabetes data, scored by {made_by} (training/train.py).",
        ["low progression", "median", "high progression"], names, inputs, OUTCOME, own, chosen,
    ),
)
folder.put(
    "model-card.json",
    training.card(folder, said, {
        "name": "Diabetes progression, linear regression",
        "type": "Linear regression of ten values in the units of the data",
        "development": f"{len(y_train)} rows for training, {len(y_test)} held out at random; made by training/train.py with {made_by}, seed {training.SEED}. Nothing was tuned. The scores of the training library on held-out rows (training/test-vectors.json) are compared with those of the server, within 0.00001; three of them are golden cases, run at every load.",
        "trainingData": {
            "source": "The diabetes data of Efron and others (2004), as scikit-learn contains them, not scaled: 442 patients with diabetes",
            "criteria": {"notAvailable": "The publication does not say who was included."},
            "demographics": "Ages 19 to 79; sex is coded 1 and 2 without saying which is which; nothing else is known.",
            "relevance": "None outside of this demonstration.",
        },
        "inputs": [{"feature": name, "description": DESCRIPTIONS[name]} for name in names],
        "outputs": [
            {"outcome": OUTCOME, "description": "Quantitative measure of disease progression one year after baseline, without a unit; 25 to 346 in the data"}
        ],
        "performance": performance,
        "fairness": {
            "sensitiveInputs": ["age", "sexInData"],
            "statement": "Age and sex are inputs because the data have them. The code for sex is not resolved in the data, so that nothing can be said of women or men.",
        },
        "limitations": [
            "442 patients of one source; when, where and how they were treated is not published.",
            "The held-out rows come from the same source as the training rows: the metrics say nothing of any other site.",
            "Sex, average blood pressure and the logarithm of triglycerides have codes of this project's own CodeSystem: no record holds them, so that the model abstains on every real patient.",
            "A straight line goes on outside of the data: within the plausible ranges it can give values that no patient had.",
        ],
        "codeLists": [
            {
                "feature": name,
                "source": "CodeSystem demonstration of this project" if definition["codes"][0].startswith(OWN) else "LOINC",
            }
            for name, definition in FEATURES.items() if "codes" in definition
        ],
        "explanation": "Each coefficient times the difference of its value from the average of the training data. The contributions add up to the score.",
        "data_licence": "Weights: Apache-2.0, as the project. Data: published with Efron and others (2004), redistributed with scikit-learn.",
    }),
)
folder.put(
    "training/test-matrix.csv",
    training.matrix(
        folder, names, OUTCOME, [f"diabetes-{row}" for row in test], inputs,
        [(name, x_test[:, index]) for index, name in enumerate(names)], "label", y_test,
    ),
)
some = np.arange(0, len(y_test), 4)
folder.put(
    "training/test-vectors.json",
    training.json_bytes(training.vectors(made_by, names, x_test[some], OUTCOME, own[some], explain(x_test[some])), indent=None),
)
folder.seal(said)
folder.end()
