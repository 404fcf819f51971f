"""Builds model.onnx and golden/scalar-form.json of SCORE2 and SCORE2-OP from coefficients.json.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python build.py            # writes both files
    build/bin/python build.py --check    # exits 1 unless both files would come out byte for byte the same

Nothing here is needed to install, start or test the server. Afterwards run `node scripts/seal-model.ts <folder>`,
which writes the new checksums into manifest.json.
"""

import json
import math
import pathlib
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE.parent
SOURCE = json.loads((HERE / "coefficients.json").read_text("utf-8"))

SEXES = ["female", "male"]  # as the column encodes them: 0, 1
REGIONS = ["low", "moderate", "high", "very-high"]  # 0, 1, 2, 3
COLUMNS = [
    "age",
    "sex",
    "region",
    "currentSmoker",
    "systolicBloodPressure",
    "totalCholesterol",
    "hdlCholesterol",
    "diabetes",
]
COLUMN_OF_TERM = {
    "age": "age",
    "smoker": "currentSmoker",
    "sbp": "systolicBloodPressure",
    "total_cholesterol": "totalCholesterol",
    "hdl_cholesterol": "hdlCholesterol",
    "diabetes": "diabetes",
}
# The bands of the guideline depend on age: SCORE2 stands in two columns, one for each group of ages.
OUTCOMES = {"cvd-10y-40-49": "score2", "cvd-10y-50-69": "score2", "cvd-10y-70-89": "score2_op"}


class Graph:
    """Collects nodes and float64 constants; every method returns the name of its result."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, value, dtype=np.float64):
        array = np.array(value, dtype=dtype)
        name = f"c{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def add(self, op, *inputs, **attributes):
        name = f"v{len(self.nodes)}_{op.lower()}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def column(self, name):
        return self.add("Gather", "x", self.constant([COLUMNS.index(name)], np.int64), axis=1)  # [n, 1]


def build_risk(g, equation, sex, stratum):
    """The risk of everybody by one equation, [n, 1]; `sex` and `stratum` are indices of rows, [n, 1]."""

    def by_sex(values):
        return g.add("Gather", g.constant(values), sex, axis=0)

    terms = {}
    for name, term in equation["terms"].items():
        value = g.column(COLUMN_OF_TERM[name])
        terms[name] = g.add("Div", g.add("Sub", value, g.constant(term["centre"])), g.constant(term["divisor"]))
    predictor = g.add("Neg", by_sex([equation[s]["mean"] for s in SEXES]))
    for name in equation["female"]["coefficients"]:
        factors = [terms[factor] for factor in name.split("*")]
        value = factors[0] if len(factors) == 1 else g.add("Mul", *factors)
        weight = by_sex([equation[s]["coefficients"][name] for s in SEXES])
        predictor = g.add("Add", predictor, g.add("Mul", weight, value))
    # ln(-ln(1 - uncalibrated)) = ln(-ln(baseline survival)) + predictor
    log_hazard = g.add("Add", by_sex([math.log(-math.log(equation[s]["baseline_survival"])) for s in SEXES]), predictor)
    scales = [equation["scales"][region][s] for s in SEXES for region in REGIONS]
    first, second = (g.add("Gather", g.constant([scale[i] for scale in scales]), stratum, axis=0) for i in (0, 1))
    calibrated = g.add("Exp", g.add("Add", first, g.add("Mul", second, log_hazard)))
    return g.add("Sub", g.constant(1), g.add("Exp", g.add("Neg", calibrated)))


def build_model():
    g = Graph()
    sex = g.add("Cast", g.column("sex"), to=TensorProto.INT64)
    region = g.add("Cast", g.column("region"), to=TensorProto.INT64)
    stratum = g.add("Add", g.add("Mul", sex, g.constant([[len(REGIONS)]], np.int64)), region)
    risks = {name: build_risk(g, SOURCE[name], sex, stratum) for name in ("score2", "score2_op")}
    columns = [risks[equation] for equation in OUTCOMES.values()]
    g.nodes.append(helper.make_node("Concat", columns, ["risk"], name="risk", axis=1))

    graph = helper.make_graph(
        g.nodes,
        "score2",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", len(COLUMNS)])],
        [helper.make_tensor_value_info("risk", TensorProto.DOUBLE, ["n", len(OUTCOMES)])],
        initializer=list(g.constants.values()),
    )
    model = helper.make_model(
        graph, producer_name="fhirsight", ir_version=10, opset_imports=[helper.make_opsetid("", 17)]
    )
    checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def scalar_risk(outcome, person):
    """The published form for one person, step by step with the standard library: independent of the graph."""
    b = SOURCE[OUTCOMES[outcome]][person["sex"]]["coefficients"]
    smoker, diabetes = int(person["currentSmoker"]), int(person["diabetes"])
    pressure, total, hdl = person["systolicBloodPressure"], person["totalCholesterol"], person["hdlCholesterol"]
    if OUTCOMES[outcome] == "score2":
        age, pressure, total, hdl = (person["age"] - 60) / 5, (pressure - 120) / 20, total - 6, (hdl - 1.3) / 0.5
        with_diabetes = 0
    else:
        age, pressure, total, hdl = person["age"] - 73, pressure - 150, total - 6, hdl - 1.4
        with_diabetes = diabetes * (b["diabetes"] + b["diabetes*age"] * age)
    predictor = (
        b["age"] * age
        + smoker * (b["smoker"] + b["smoker*age"] * age)
        + pressure * (b["sbp"] + b["sbp*age"] * age)
        + total * (b["total_cholesterol"] + b["total_cholesterol*age"] * age)
        + hdl * (b["hdl_cholesterol"] + b["hdl_cholesterol*age"] * age)
        + with_diabetes
    )
    equation = SOURCE[OUTCOMES[outcome]][person["sex"]]
    uncalibrated = 1 - equation["baseline_survival"] ** math.exp(predictor - equation["mean"])
    scale1, scale2 = SOURCE[OUTCOMES[outcome]]["scales"][person["region"]][person["sex"]]
    return 1 - math.exp(-math.exp(scale1 + scale2 * math.log(-math.log(1 - uncalibrated))))


PEOPLE = {
    "low risk, woman of 44 in a low-risk region": (44, "female", "low", False, 108, 4.4, 1.9, False),
    "low risk, man of 41 in a moderate-risk region": (41, "male", "moderate", False, 112, 4.1, 1.6, False),
    "very high risk, man of 49 in a very-high-risk region, smoker": (49, "male", "very-high", True, 168, 7.8, 0.9, False),
    "low risk, woman of 52 in a low-risk region": (52, "female", "low", False, 112, 4.6, 1.8, False),
    "high risk, man of 58 in a moderate-risk region": (58, "male", "moderate", False, 142, 5.9, 1.2, False),
    "very high risk, woman of 66 in a high-risk region, smoker": (66, "female", "high", True, 158, 6.9, 1.1, False),
    "very high risk, man of 69 in a very-high-risk region, smoker": (69, "male", "very-high", True, 172, 7.1, 0.9, False),
    "low risk, woman of 70 in a low-risk region": (70, "female", "low", False, 118, 5.1, 1.9, False),
    "high risk, man of 73 at the centres of SCORE2-OP in a low-risk region": (73, "male", "low", False, 150, 6, 1.4, False),
    "very high risk, woman of 81 in a high-risk region, with diabetes": (81, "female", "high", False, 156, 5.4, 1.2, True),
    "very high risk, man of 89 in a very-high-risk region, smoker with diabetes": (89, "male", "very-high", True, 165, 5.8, 1.0, True),
    "man of 76 in a moderate-risk region, with diabetes": (76, "male", "moderate", False, 138, 4.2, 1.1, True),
    "woman of 78 in a moderate-risk region": (78, "female", "moderate", False, 144, 5.2, 1.5, False),
    "woman of 60 at the centres of SCORE2 in a high-risk region": (60, "female", "high", False, 120, 6, 1.3, False),
}


def outcome_of(age):
    return "cvd-10y-40-49" if age < 50 else "cvd-10y-50-69" if age < 70 else "cvd-10y-70-89"


def golden_cases():
    cases = []
    for name, values in PEOPLE.items():
        inputs = dict(zip(COLUMNS, values))
        outcome = outcome_of(inputs["age"])
        cases.append(
            {"name": name, "inputs": inputs, "expected": {outcome: scalar_risk(outcome, inputs)}, "tolerance": 1e-9}
        )
    document = {
        "source": "Computed by training/build.py with the scalar form of the published equations; not observations of people.",
        "cases": cases,
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def main():
    built = {"model.onnx": build_model(), "golden/scalar-form.json": golden_cases()}
    if sys.argv[1:] == ["--check"]:
        stale = [name for name, content in built.items() if (FOLDER / name).read_bytes() != content]
        if stale:
            sys.exit(f"differs from what build.py makes: {', '.join(stale)}")
        print("unchanged: " + ", ".join(built))
        return
    for name, content in built.items():
        (FOLDER / name).write_bytes(content)
    print("written: " + ", ".join(built))


if __name__ == "__main__":
    main()
