"""Builds model.onnx and golden/scalar-form.json of LACE from coefficients.json.

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

STAY, COMORBIDITY, VISITS = SOURCE["length_of_stay"], SOURCE["comorbidity"], SOURCE["emergency_visits"]
ACUTE = SOURCE["acute_admission"]

COLUMNS = ["lengthOfStay", "acuteAdmission", "comorbidity", "emergencyVisits"]


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
    stay, acute, comorbidity, visits = (g.column(index) for index in range(len(COLUMNS)))
    total = g.add("Mul", acute, g.constant(ACUTE))
    for value, table in ((stay, STAY), (comorbidity, COMORBIDITY), (visits, VISITS)):
        total = g.add("Add", total, g.steps(value, table))
    g.nodes.append(helper.make_node("Identity", [total], ["points"], name="points"))
    return finish(g, "lace", len(COLUMNS), "points", 1)


def scalar_scores(person):
    """The published table for one patient: independent of the graph."""
    days = math.floor(person["lengthOfStay"])
    total = days if days <= 3 else 4 if days <= 6 else 5 if days <= 13 else 7
    total += ACUTE if person["acuteAdmission"] else 0
    total += person["comorbidity"] if person["comorbidity"] <= 3 else 5
    return {"lace": total + min(person["emergencyVisits"], 4)}


PEOPLE = {
    "nothing, home on the day of an elective admission": (0.6, False, 0, 0),
    "low, elective, two days, one comorbidity of 1": (2.2, False, 1, 0),
    "low, the last score below the band: 9": (3.9, True, 2, 1),
    "high, the first score of the band: 10": (4, True, 2, 1),
    "three days and 23 hours are three days": (3.96, False, 0, 0),
    "six days and a half, comorbidity 3": (6.5, False, 3, 2),
    "seven days, comorbidity 4 counts 5": (7, False, 4, 3),
    "thirteen days and a half": (13.5, True, 0, 0),
    "high, the highest score": (31, True, 12, 9),
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
