"""Builds model.onnx and golden/scalar-form.json of HOSPITAL from coefficients.json.

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
ADMISSIONS = SOURCE["admissions_before"]  # [from, points], from inclusive
LIMITS = SOURCE["limits"]

COLUMNS = [
    "hemoglobin", "oncologyService", "sodium", "procedureDuringStay", "urgentAdmission", "admissionsBefore", "lengthOfStay",
]


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
    hemoglobin, oncology, sodium, procedure, urgent, admissions, stay = (g.column(i) for i in range(len(COLUMNS)))

    def below(value, limit, points):
        return g.steps(value, [[0, points], [limit, 0]])

    total = g.steps(admissions, ADMISSIONS)
    for points in (
        below(hemoglobin, LIMITS["hemoglobin"], POINTS["low_hemoglobin"]),
        g.add("Mul", oncology, g.constant(POINTS["oncology_service"])),
        below(sodium, LIMITS["sodium"], POINTS["low_sodium"]),
        g.add("Mul", procedure, g.constant(POINTS["procedure"])),
        g.add("Mul", urgent, g.constant(POINTS["urgent_admission"])),
        g.steps(stay, [[0, 0], [LIMITS["length_of_stay"], POINTS["long_stay"]]]),
    ):
        total = g.add("Add", total, points)
    g.nodes.append(helper.make_node("Identity", [total], ["points"], name="points"))
    return finish(g, "hospital", len(COLUMNS), "points", 1)


def scalar_scores(person):
    """The published table for one patient: independent of the graph."""
    total = 1 if person["hemoglobin"] < 12 else 0
    total += 2 if person["oncologyService"] else 0
    total += 1 if person["sodium"] < 135 else 0
    total += 1 if person["procedureDuringStay"] else 0
    total += 1 if person["urgentAdmission"] else 0
    total += 0 if person["admissionsBefore"] <= 1 else 2 if person["admissionsBefore"] <= 5 else 5
    return {"hospital": total + (2 if person["lengthOfStay"] >= 5 else 0)}


PEOPLE = {
    "nothing, two days of an elective stay": (13.8, False, 140, False, False, 0, 2.1),
    "low, exactly at the limits: hemoglobin 12, sodium 135, one admission, just below 5 days": (12, False, 135, False, False, 1, 4.99),
    "low, the last score below intermediate: 4": (11.9, False, 134.9, True, True, 0, 3),
    "intermediate, exactly 5 days and two admissions: 5": (12.4, False, 138, False, True, 2, 5),
    "intermediate, the last score: 6": (10.5, False, 138, False, True, 5, 8.2),
    "high, the first score: 7": (10.5, True, 138, False, False, 5, 6),
    "high, six admissions": (9.8, False, 133, False, True, 6, 3),
    "high, the highest score": (8.1, True, 128, True, True, 11, 21),
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
