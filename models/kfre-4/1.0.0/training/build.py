"""Builds model.onnx and golden/scalar-form.json of the four-variable KFRE from coefficients.json.

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
TERMS = SOURCE["terms"]
BASELINES = SOURCE["baseline_survival"]  # its order is that of the output columns

COLUMNS = ["age", "sex", "estimatedGfr", "urineAlbuminCreatinineRatio"]  # sex: 1 male, 0 female
TERM_OF_COLUMN = {"age": "age", "sex": "male", "estimatedGfr": "egfr", "urineAlbuminCreatinineRatio": "ln_uacr"}


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
    if set(TERMS) != set(TERM_OF_COLUMN.values()):
        sys.exit(f"coefficients.json: the terms are {sorted(TERMS)}, the graph knows {sorted(TERM_OF_COLUMN.values())}")
    g = Graph()
    weighted = []
    for index, column in enumerate(COLUMNS):
        value = g.add("Gather", "x", g.constant([index], np.int64), axis=1)  # [n, 1]
        name = TERM_OF_COLUMN[column]
        term = TERMS[name]
        if name.startswith("ln_"):
            value = g.add("Log", value)
        centred = g.add("Sub", g.add("Div", value, g.constant(term["divisor"])), g.constant(term["centre"]))
        weighted.append(g.add("Mul", centred, g.constant(term["coefficient"])))
    predictor = weighted[0]
    for term in weighted[1:]:
        predictor = g.add("Add", predictor, term)
    baseline_hazards = g.constant([[-math.log(survival) for survival in BASELINES.values()]])  # [1, outcomes]
    hazards = g.add("Mul", g.add("Exp", predictor), baseline_hazards)
    survival = g.add("Exp", g.add("Neg", hazards))
    g.nodes.append(helper.make_node("Sub", [g.constant(1), survival], ["risk"], name="risk"))

    graph = helper.make_graph(
        g.nodes,
        "kfre-4",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", len(COLUMNS)])],
        [helper.make_tensor_value_info("risk", TensorProto.DOUBLE, ["n", len(BASELINES)])],
        initializer=list(g.constants.values()),
    )
    model = helper.make_model(
        graph, producer_name="fhirsight", ir_version=10, opset_imports=[helper.make_opsetid("", 17)]
    )
    checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def scalar_risk(outcome, person):
    """The published form for one person, term by term with the standard library: independent of the graph."""
    t = {
        "age": person["age"] / 10 - TERMS["age"]["centre"],
        "male": (1 if person["sex"] == "male" else 0) - TERMS["male"]["centre"],
        "egfr": person["estimatedGfr"] / 5 - TERMS["egfr"]["centre"],
        "ln_uacr": math.log(person["urineAlbuminCreatinineRatio"]) - TERMS["ln_uacr"]["centre"],
    }
    total = math.fsum(term["coefficient"] * t[name] for name, term in TERMS.items())
    return 1 - BASELINES[outcome] ** math.exp(total)


PEOPLE = {
    "low risk, woman of 74 in stage 3a, hardly any albuminuria": (74, "female", 56, 6),
    "low risk, man of 81 in stage 3a, hardly any albuminuria": (81, "male", 52, 11),
    "high risk, man of 42 in stage 5, nephrotic albuminuria": (42, "male", 12, 2900),
    "high risk, woman of 35 in stage 4, nephrotic albuminuria": (35, "female", 18, 3600),
    "man of 70 near the centres of the equation": (70, "male", 36.11, 170.2),
    "woman of 70 near the centres of the equation": (70, "female", 36.11, 170.2),
    "man of 18 at the lower limits of age and eGFR": (18, "male", 10, 30),
    "woman of 66, stage 3b, moderately increased albuminuria": (66, "female", 38.4, 92.5),
}


def golden_cases():
    cases = []
    for name, values in PEOPLE.items():
        inputs = dict(zip(COLUMNS, values))
        expected = {outcome: scalar_risk(outcome, inputs) for outcome in BASELINES}
        cases.append({"name": name, "inputs": inputs, "expected": expected, "tolerance": 1e-9})
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
