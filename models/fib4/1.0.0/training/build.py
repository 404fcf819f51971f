"""Builds model.onnx and golden/scalar-form.json of FIB-4 from coefficients.json.

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

LOW, HIGH = SOURCE["cut_offs"]["low"], SOURCE["cut_offs"]["high"]

COLUMNS = ["age", "aspartateAminotransferase", "alanineAminotransferase", "platelets"]


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
    age, aspartate, alanine, platelets = (g.column(index) for index in range(len(COLUMNS)))
    index = g.add("Div", g.add("Mul", age, aspartate), g.add("Mul", platelets, g.add("Sqrt", alanine)))
    old = g.add("GreaterOrEqual", age, g.constant(LOW["age_limit"]))
    low = g.add("Where", old, g.constant([[LOW["from_limit"]]]), g.constant([[LOW["below_limit"]]]))
    not_low = g.add("Cast", g.add("GreaterOrEqual", index, low), to=TensorProto.DOUBLE)
    high = g.add("Cast", g.add("Greater", index, g.constant(HIGH)), to=TensorProto.DOUBLE)
    group = g.add("Add", g.add("Add", g.constant(1), not_low), high)  # 1 low, 2 indeterminate, 3 high
    g.nodes.append(helper.make_node("Concat", [index, group], ["scores"], name="scores", axis=1))
    return finish(g, "fib4", len(COLUMNS), "scores", 2)


def scalar_scores(person):
    """The published form for one person with the standard library: independent of the graph."""
    index = person["age"] * person["aspartateAminotransferase"]
    index /= person["platelets"] * math.sqrt(person["alanineAminotransferase"])
    low = LOW["from_limit"] if person["age"] >= LOW["age_limit"] else LOW["below_limit"]
    return {"fib-4": index, "advanced-fibrosis": 1 if index < low else 3 if index > HIGH else 2}


PEOPLE = {
    "low, man of 40 with normal values": (40, 22, 25, 260),
    "low, exactly below the lower cut-off": (50, 26, 25, 200.5),
    "indeterminate, exactly at the lower cut-off 1.3": (50, 26, 25, 200),
    "indeterminate, exactly at the upper cut-off 2.67": (50, 267, 100, 500),
    "high, just above the upper cut-off": (50, 267, 100, 499),
    "indeterminate, woman of 64": (64, 30, 25, 220),
    "low, the same woman a year later, by the cut-off for 65 and older": (65, 30, 25, 220),
    "indeterminate, woman of 65 exactly at her lower cut-off 2.0": (65, 32, 16, 260),
    "high, man of 78": (78, 95, 60, 90),
    "young: the index without a reading": (25, 120, 97, 447),
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
