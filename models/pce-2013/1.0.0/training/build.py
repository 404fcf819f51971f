"""Builds model.onnx and golden/scalar-form.json of the Pooled Cohort Equations 2013 from coefficients.json.

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
GROUPS = json.loads((HERE / "coefficients.json").read_text("utf-8"))["groups"]

COLUMNS = [
    "age", "sex", "race", "totalCholesterol", "hdlCholesterol", "systolicBloodPressure",
    "antihypertensiveMedication", "diabetes", "currentSmoker",
]  # sex: 1 female, 0 male; race: 1 black, 0 white
TERMS = [
    "ln_age", "ln_age_squared", "ln_total", "ln_age_x_ln_total", "ln_hdl", "ln_age_x_ln_hdl", "ln_treated_sbp",
    "ln_age_x_ln_treated_sbp", "ln_untreated_sbp", "ln_age_x_ln_untreated_sbp", "smoking", "ln_age_x_smoking", "diabetes",
]


def coefficient_column(group):
    """[terms, 1]; fails on a term of the source that the graph does not know."""
    unknown = set(GROUPS[group]["coefficients"]) - set(TERMS)
    if unknown:
        sys.exit(f"coefficients.json: {group} has unknown terms {sorted(unknown)}")
    return np.array([[GROUPS[group]["coefficients"].get(term, 0.0)] for term in TERMS], dtype=np.float64)


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


def build_model():
    g = Graph()
    column = {
        name: g.add("Gather", "x", g.constant([index], np.int64), axis=1) for index, name in enumerate(COLUMNS)
    }  # each [n, 1]
    one, half = g.constant(1), g.constant(0.5)
    treated = column["antihypertensiveMedication"]
    ln_sbp = g.add("Log", column["systolicBloodPressure"])
    t = {
        "ln_age": g.add("Log", column["age"]),
        "ln_total": g.add("Log", column["totalCholesterol"]),
        "ln_hdl": g.add("Log", column["hdlCholesterol"]),
        "ln_treated_sbp": g.add("Mul", treated, ln_sbp),
        "ln_untreated_sbp": g.add("Mul", g.add("Sub", one, treated), ln_sbp),
        "smoking": column["currentSmoker"],
        "diabetes": column["diabetes"],
    }
    t["ln_age_squared"] = g.add("Mul", t["ln_age"], t["ln_age"])
    for name in ("ln_total", "ln_hdl", "ln_treated_sbp", "ln_untreated_sbp", "smoking"):
        t[f"ln_age_x_{name}"] = g.add("Mul", t["ln_age"], t[name])
    terms = g.add("Concat", *[t[name] for name in TERMS], axis=1)

    def predictor(group):
        """[n, 1]: sum(coefficient * term) - mean + ln(-ln(baseline survival)), the log of the cumulative hazard."""
        offset = math.log(-math.log(GROUPS[group]["baseline_survival"])) - GROUPS[group]["mean"]
        return g.add("Add", g.add("MatMul", terms, g.constant(coefficient_column(group))), g.constant(offset))

    female, black = g.add("Greater", column["sex"], half), g.add("Greater", column["race"], half)
    women = g.add("Where", black, predictor("black_female"), predictor("white_female"))
    men = g.add("Where", black, predictor("black_male"), predictor("white_male"))
    hazard = g.add("Exp", g.add("Where", female, women, men))
    survival = g.add("Exp", g.add("Neg", hazard))
    g.nodes.append(helper.make_node("Sub", [one, survival], ["risk"], name="risk"))

    graph = helper.make_graph(
        g.nodes,
        "pce-2013",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", len(COLUMNS)])],
        [helper.make_tensor_value_info("risk", TensorProto.DOUBLE, ["n", 1])],
        initializer=list(g.constants.values()),
    )
    model = helper.make_model(
        graph, producer_name="fhirsight", ir_version=10, opset_imports=[helper.make_opsetid("", 17)]
    )
    checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def scalar_risk(person):
    """The published form for one person, term by term with the standard library: independent of the graph."""
    group = GROUPS[f"{person['race']}_{person['sex']}"]
    age, sbp = math.log(person["age"]), math.log(person["systolicBloodPressure"])
    t = {
        "ln_age": age,
        "ln_age_squared": age**2,
        "ln_total": math.log(person["totalCholesterol"]),
        "ln_hdl": math.log(person["hdlCholesterol"]),
        "ln_treated_sbp": sbp if person["antihypertensiveMedication"] else 0,
        "ln_untreated_sbp": 0 if person["antihypertensiveMedication"] else sbp,
        "smoking": person["currentSmoker"],
        "diabetes": person["diabetes"],
    }
    for name in list(t):
        t[f"ln_age_x_{name}"] = age * t[name]
    total = math.fsum(value * t[name] for name, value in group["coefficients"].items())
    return 1 - group["baseline_survival"] ** math.exp(total - group["mean"])


PEOPLE = {
    "low risk, white woman of 42 with optimal values": (42, "female", "white", 165, 62, 106, False, False, False),
    "low risk, black man of 41 with optimal values": (41, "male", "black", 160, 55, 110, False, False, False),
    "high risk, black woman of 74, treated, smoker with diabetes": (74, "female", "black", 280, 34, 182, True, True, True),
    "high risk, white man of 79, treated, smoker with diabetes": (79, "male", "white", 290, 28, 186, True, True, True),
    "white man of 60, untreated hypertension": (60, "male", "white", 215, 44, 158, False, False, False),
    "black man of 55, smoker": (55, "male", "black", 200, 50, 120, False, False, True),
}


def golden_cases():
    cases = []
    for name, values in PEOPLE.items():
        inputs = dict(zip(COLUMNS, values))
        cases.append({"name": name, "inputs": inputs, "expected": {"ascvd-10y": scalar_risk(inputs)}, "tolerance": 1e-9})
    document = {
        "source": "Computed by training/build.py with the scalar form of the published equation; not observations of people.",
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
