"""Builds model.onnx and golden/scalar-form.json of NEWS2 from coefficients.json.

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

TABLES = SOURCE["tables"]  # each [from, points], from inclusive, after rounding to `rounding` decimals
ROUNDING = SOURCE["rounding"]
RISK = SOURCE["risk"]
NUMBERS = SOURCE["risk_numbers"]

COLUMNS = [
    "respiratoryRate", "oxygenSaturation", "supplementalOxygen", "temperature", "systolicBloodPressure", "pulse",
    "consciousness",
]  # supplementalOxygen: 1 on oxygen, 0 on air; consciousness: 0 alert, 1 anything else


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
    rate, saturation, oxygen, temperature, pressure, pulse, altered = (g.column(index) for index in range(len(COLUMNS)))

    def rounded(value, decimals):
        """Half up: the chart has no place for what lies between two of its rows."""
        scale = g.constant(10**decimals)
        half_up = g.add("Floor", g.add("Add", g.add("Mul", value, scale), g.constant(0.5)))
        return g.add("Div", half_up, scale)

    def points(value, name):
        return g.steps(rounded(value, ROUNDING[name]), TABLES[name])

    others = [
        points(rate, "respiratory_rate"),
        g.add("Mul", oxygen, g.constant(SOURCE["oxygen_points"])),
        points(temperature, "temperature"),
        points(pressure, "systolic_blood_pressure"),
        points(pulse, "pulse"),
        g.add("Mul", altered, g.constant(SOURCE["altered_consciousness_points"])),
    ]
    on_oxygen = g.add("Greater", oxygen, g.constant(0.5))
    scale_1 = points(saturation, "saturation_scale_1")
    scale_2 = g.add(
        "Where",
        on_oxygen,
        points(saturation, "saturation_scale_2_on_oxygen"),
        points(saturation, "saturation_scale_2_on_air"),
    )
    scores = []
    for of_saturation in (scale_1, scale_2):
        parts = [of_saturation, *others]
        total = parts[0]
        for part in parts[1:]:
            total = g.add("Add", total, part)
        highest = g.add("Max", *parts)
        three = g.add("GreaterOrEqual", highest, g.constant(RISK["single_parameter"]))
        low = g.add("Where", three, g.constant([[float(NUMBERS["low-medium"])]]), g.constant([[float(NUMBERS["low"])]]))
        medium = g.add("GreaterOrEqual", total, g.constant(RISK["medium"]))
        high = g.add("GreaterOrEqual", total, g.constant(RISK["high"]))
        risk = g.add("Where", medium, g.constant([[float(NUMBERS["medium"])]]), low)
        scores += [total, g.add("Where", high, g.constant([[float(NUMBERS["high"])]]), risk)]
    g.nodes.append(helper.make_node("Concat", scores, ["scores"], name="scores", axis=1))
    return finish(g, "news2", len(COLUMNS), "scores", len(scores))


def scalar_scores(person):
    """The chart for one patient, written a second time: independent of the graph and of the tables it is made from."""
    rate, saturation, pressure, pulse = (
        math.floor(person[name] + 0.5)
        for name in ("respiratoryRate", "oxygenSaturation", "systolicBloodPressure", "pulse")
    )
    tenths = math.floor(person["temperature"] * 10 + 0.5)
    others = [
        3 if rate <= 8 or rate >= 25 else 2 if rate >= 21 else 1 if rate <= 11 else 0,
        2 if person["supplementalOxygen"] else 0,
        3 if tenths <= 350 else 1 if tenths <= 360 else 0 if tenths <= 380 else 1 if tenths <= 390 else 2,
        3 if pressure <= 90 or pressure >= 220 else 2 if pressure <= 100 else 1 if pressure <= 110 else 0,
        3 if pulse <= 40 or pulse >= 131 else 2 if pulse >= 111 else 1 if pulse <= 50 or pulse >= 91 else 0,
        0 if person["consciousness"] == "alert" else 3,
    ]
    first = 3 if saturation <= 91 else 2 if saturation <= 93 else 1 if saturation <= 95 else 0
    second = 3 if saturation <= 83 else 2 if saturation <= 85 else 1 if saturation <= 87 else 0
    if saturation >= 93 and person["supplementalOxygen"]:
        second = 1 if saturation <= 94 else 2 if saturation <= 96 else 3
    scores = {}
    for scale, points in (("1", first), ("2", second)):
        parts = [points, *others]
        total = sum(parts)
        name = "high" if total >= 7 else "medium" if total >= 5 else "low-medium" if max(parts) == 3 else "low"
        scores[f"news2-scale-{scale}"] = total
        scores[f"clinical-risk-scale-{scale}"] = NUMBERS[name]
    return scores


PEOPLE = {
    "nothing out of order": (16, 97, False, 36.8, 122, 72, "alert"),
    "low, each at the edge of no points": (12, 96, False, 36.1, 111, 51, "alert"),
    "low, each at the edge of one point": (11, 95, False, 36.0, 110, 91, "alert"),
    "low-medium, one red score: respiratory rate 8": (8, 98, False, 37.0, 130, 80, "alert"),
    "low-medium, new confusion alone": (16, 98, False, 37.0, 130, 80, "confusion"),
    "medium, 5 points": (21, 94, False, 38.1, 105, 80, "alert"),
    "medium on scale 1, low on scale 2: 88 % on oxygen": (20, 88, True, 37.2, 118, 88, "alert"),
    "low on scale 1, medium on scale 2: 97 % on oxygen": (20, 97, True, 37.2, 118, 88, "alert"),
    "scale 2 gives no points on air above its target": (20, 99, False, 37.2, 118, 88, "alert"),
    "high, 7 points": (22, 92, True, 38.5, 112, 90, "alert"),
    "high, everything at its worst": (30, 80, True, 34.2, 78, 140, "unresponsive"),
    "converted temperatures are rounded to the tenth of the chart: 38.04 is 38.0": (16, 97, False, 38.04, 122, 72, "alert"),
    "and 39.05 is 39.1": (16, 97, False, 39.05, 122, 72, "alert"),
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
