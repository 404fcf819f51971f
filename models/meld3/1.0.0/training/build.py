"""Builds model.onnx and golden/scalar-form.json of MELD 3.0 from coefficients.json.

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

LIMITS = SOURCE["limits"]
TERMS = SOURCE["terms"]

COLUMNS = [
    "sex", "bilirubin", "internationalNormalizedRatio", "creatinine", "sodium", "albumin", "dialysisSessions",
    "continuousDialysis",
]  # sex: 1 female, 0 male


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
    columns = [g.column(index) for index in range(len(COLUMNS))]
    sex, bilirubin, inr, creatinine, sodium, albumin, sessions, continuous = columns

    def bounded(value, name):
        limits = LIMITS[name]
        value = g.add("Max", value, g.constant(limits["lowest"])) if "lowest" in limits else value
        return g.add("Min", value, g.constant(limits["highest"])) if "highest" in limits else value

    often = g.add("GreaterOrEqual", sessions, g.constant(SOURCE["dialysis_sessions"]))
    on_dialysis = g.add("Or", often, g.add("Greater", continuous, g.constant(0.5)))
    creatinine = g.add("Where", on_dialysis, g.constant([[SOURCE["creatinine_on_dialysis"]]]), creatinine)
    ln_bilirubin = g.add("Log", bounded(bilirubin, "bilirubin"))
    ln_inr = g.add("Log", bounded(inr, "inr"))
    ln_creatinine = g.add("Log", bounded(creatinine, "creatinine"))
    low_sodium = g.add("Sub", g.constant(LIMITS["sodium"]["highest"]), bounded(sodium, "sodium"))
    low_albumin = g.add("Sub", g.constant(LIMITS["albumin"]["highest"]), bounded(albumin, "albumin"))
    terms = {
        "female": sex,
        "ln_bilirubin": ln_bilirubin,
        "low_sodium": low_sodium,
        "low_sodium_x_ln_bilirubin": g.add("Mul", low_sodium, ln_bilirubin),
        "ln_inr": ln_inr,
        "ln_creatinine": ln_creatinine,
        "low_albumin": low_albumin,
        "low_albumin_x_ln_creatinine": g.add("Mul", low_albumin, ln_creatinine),
    }
    if set(terms) != set(TERMS):
        sys.exit(f"coefficients.json: the terms are {sorted(TERMS)}, the graph knows {sorted(terms)}")
    total = g.constant([[SOURCE["constant"]]])
    for name, value in terms.items():
        total = g.add("Add", total, g.add("Mul", value, g.constant(TERMS[name])))
    rounded = g.add("Floor", g.add("Add", total, g.constant(0.5)))
    lowest, highest = SOURCE["result"]["lowest"], SOURCE["result"]["highest"]
    kept = g.add("Max", g.add("Min", rounded, g.constant(highest)), g.constant(lowest))
    g.nodes.append(helper.make_node("Identity", [kept], ["points"], name="points"))
    return finish(g, "meld3", len(COLUMNS), "points", 1)


def scalar_scores(person):
    """The published form for one person with the standard library: independent of the graph."""
    on_dialysis = person["dialysisSessions"] >= 2 or person["continuousDialysis"]
    creatinine = 3.0 if on_dialysis else min(max(person["creatinine"], 1.0), 3.0)
    bilirubin, inr = max(person["bilirubin"], 1.0), max(person["internationalNormalizedRatio"], 1.0)
    sodium = 137 - min(max(person["sodium"], 125), 137)
    albumin = 3.5 - min(max(person["albumin"], 1.5), 3.5)
    total = math.fsum([
        1.33 if person["sex"] == "female" else 0,
        4.56 * math.log(bilirubin),
        0.82 * sodium,
        -0.24 * sodium * math.log(bilirubin),
        9.09 * math.log(inr),
        11.14 * math.log(creatinine),
        1.85 * albumin,
        -1.83 * albumin * math.log(creatinine),
        6,
    ])
    return {"meld-3": max(6, min(40, math.floor(total + 0.5)))}


PEOPLE = {
    "lowest, man with everything normal": ("male", 0.6, 0.9, 0.7, 141, 4.4, 0, False),
    "woman with everything normal: her own term": ("female", 0.6, 0.9, 0.7, 141, 4.4, 0, False),
    "low, woman with compensated cirrhosis": ("female", 1.8, 1.2, 0.8, 136, 3.3, 0, False),
    "man, decompensated": ("male", 4.2, 1.7, 1.3, 131, 2.7, 0, False),
    "man, creatinine above the cap": ("male", 3.1, 1.5, 5.2, 137, 3.0, 0, False),
    "the same man at the cap": ("male", 3.1, 1.5, 3.0, 137, 3.0, 0, False),
    "the same man on dialysis with a lower creatinine": ("male", 3.1, 1.5, 1.6, 137, 3.0, 2, False),
    "one session is not enough": ("male", 3.1, 1.5, 1.6, 137, 3.0, 1, False),
    "continuous dialysis": ("male", 3.1, 1.5, 1.6, 137, 3.0, 0, True),
    "woman with sodium and albumin below their bounds": ("female", 6.5, 2.1, 1.1, 118, 1.2, 0, False),
    "highest, woman with acute on chronic failure": ("female", 28, 4.4, 3.9, 121, 1.9, 3, False),
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
