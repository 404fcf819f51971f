"""Builds model.onnx and golden/scalar-form.json of CKD-EPI 2021 (creatinine) from coefficients.json.

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

SEXES = SOURCE["sexes"]
STAGES = SOURCE["gfr_categories"]  # [from, number], from inclusive

COLUMNS = ["age", "sex", "creatinine"]  # sex: 1 female, 0 male


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

    def column(self, index):
        return self.add("Gather", "x", self.constant([index], np.int64), axis=1)  # [n, 1]

    def steps(self, value, table):
        """The points of `value` by a table of [from, points], from inclusive; those of the first row below all others."""
        (_, total), *later = table
        points = self.constant([[total]])
        for limit, now in later:
            reached = self.add("Cast", self.add("GreaterOrEqual", value, self.constant(limit)), to=TensorProto.DOUBLE)
            points = self.add("Add", points, self.add("Mul", reached, self.constant(now - total)))
            total = now
        return points


def finish(g, name, inputs, output, outputs):
    graph = helper.make_graph(
        g.nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", inputs])],
        [helper.make_tensor_value_info(output, TensorProto.DOUBLE, ["n", outputs])],
        initializer=list(g.constants.values()),
    )
    model = helper.make_model(
        graph, producer_name="fhirsight", ir_version=10, opset_imports=[helper.make_opsetid("", 17)]
    )
    checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def build_model():
    g = Graph()
    age, sex, creatinine = (g.column(index) for index in range(len(COLUMNS)))
    one = g.constant(1)

    def equation(terms):
        ratio = g.add("Div", creatinine, g.constant(terms["kappa"]))
        low = g.add("Pow", g.add("Min", ratio, one), g.constant(terms["alpha"]))
        high = g.add("Pow", g.add("Max", ratio, one), g.constant(SOURCE["exponent_above"]))
        ageing = g.add("Pow", g.constant(SOURCE["age_base"]), age)
        factor = g.constant(SOURCE["scale"] * terms["factor"])
        return g.add("Mul", g.add("Mul", g.add("Mul", low, high), ageing), factor)

    female = g.add("Greater", sex, g.constant(0.5))
    gfr = g.add("Where", female, equation(SEXES["female"]), equation(SEXES["male"]))
    g.nodes.append(helper.make_node("Concat", [gfr, g.steps(gfr, STAGES)], ["scores"], name="scores", axis=1))
    return finish(g, "ckd-epi-2021", len(COLUMNS), "scores", 2)


def scalar_scores(person):
    """The published form for one person with the standard library: independent of the graph."""
    terms = SEXES[person["sex"]]
    ratio = person["creatinine"] / terms["kappa"]
    gfr = SOURCE["scale"] * terms["factor"] * SOURCE["age_base"] ** person["age"]
    gfr *= math.pow(ratio, terms["alpha"] if ratio < 1 else SOURCE["exponent_above"])
    stage = next(number for limit, number in reversed(STAGES) if gfr >= limit)
    return {"egfr": gfr, "gfr-category": stage}


PEOPLE = {
    "woman of 50 at kappa, G2": (50, "female", 0.7),
    "man of 50 at kappa, G1": (50, "male", 0.9),
    "woman of 18, low creatinine, G1": (18, "female", 0.4),
    "man of 34, G1": (34, "male", 0.8),
    "woman of 61, G2": (61, "female", 0.92),
    "man of 72, G3a": (72, "male", 1.4),
    "woman of 80, G3b": (80, "female", 1.41),
    "man of 85, G4": (85, "male", 2.6),
    "woman of 67, G5": (67, "female", 6.1),
}


def golden_cases():
    cases = []
    for name, values in PEOPLE.items():
        inputs = dict(zip(COLUMNS, values))
        cases.append({"name": name, "inputs": inputs, "expected": scalar_scores(inputs), "tolerance": 1e-9})
    document = {
        "source": "Computed by training/build.py with the scalar form of the published rules; not observations of people.",
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
