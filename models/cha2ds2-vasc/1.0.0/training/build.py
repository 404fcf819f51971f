"""Builds model.onnx and golden/scalar-form.json of CHA2DS2-VASc from coefficients.json.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python build.py            # writes both files
    build/bin/python build.py --check    # exits 1 unless both files would come out byte for byte the same

Nothing here is needed to install, start or test the server. Afterwards run `node scripts/seal-model.ts <folder>`,
which writes the new checksums into manifest.json.
"""

import json
import pathlib
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE.parent
SOURCE = json.loads((HERE / "coefficients.json").read_text("utf-8"))

POINTS = SOURCE["points"]
AGE = SOURCE["age_points"]  # [from, points], from inclusive

COLUMNS = ["age", "sex", *POINTS]  # sex: 1 female, 0 male


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
    total = g.add("Add", g.steps(g.column(0), AGE), g.add("Mul", g.column(1), g.constant(SOURCE["female_points"])))
    for index, points in enumerate(POINTS.values(), start=2):
        total = g.add("Add", total, g.add("Mul", g.column(index), g.constant(points)))
    g.nodes.append(helper.make_node("Identity", [total], ["points"], name="points"))
    return finish(g, "cha2ds2-vasc", len(COLUMNS), "points", 1)


def scalar_scores(person):
    """The published table for one person: independent of the graph."""
    total = next(points for limit, points in reversed(AGE) if person["age"] >= limit)
    total += SOURCE["female_points"] if person["sex"] == "female" else 0
    return {"cha2ds2-vasc": total + sum(points for name, points in POINTS.items() if person[name])}


PEOPLE = {
    "no risk factor, man of 55": (55, "male", False, False, False, False, False),
    "sex only, woman of 64": (64, "female", False, False, False, False, False),
    "man of 65 with hypertension": (65, "male", False, True, False, False, False),
    "man of 74 with diabetes and vascular disease": (74, "male", False, False, True, False, True),
    "woman of 75 with heart failure": (75, "female", True, False, False, False, False),
    "man of 60 after a stroke": (60, "male", False, False, False, True, False),
    "everything, woman of 88": (88, "female", True, True, True, True, True),
    "everything, man of 60": (60, "male", True, True, True, True, True),
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
