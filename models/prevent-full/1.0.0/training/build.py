"""Builds model.onnx and golden/scalar-form.json of PREVENT full from coefficients.json.

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
EQUATIONS = SOURCE["equations"]
MMOL_PER_MG = SOURCE["cholesterol_mmol_per_mg"]

COLUMNS = [
    "age", "sex", "totalCholesterol", "hdlCholesterol", "systolicBloodPressure", "bodyMassIndex", "estimatedGfr",
    "diabetes", "currentSmoker", "antihypertensiveMedication", "statinMedication",
    "haemoglobinA1c", "haemoglobinA1c missing", "urineAlbuminCreatinineRatio", "urineAlbuminCreatinineRatio missing",
    "socialDeprivationDecile", "socialDeprivationDecile missing",
]  # sex: 1 female, 0 male; missing: 1 where the value before it is not known
INPUTS = [name for name in COLUMNS if not name.endswith(" missing")]
OUTCOMES = [f"{outcome}_{years}y" for years in (10, 30) for outcome in ("total_cvd", "ascvd", "heart_failure", "chd", "stroke")]
TERMS = [
    "age", "age_squared", "non_hdl", "hdl", "sbp_below_110", "sbp_from_110", "diabetes", "smoking", "bmi_below_30",
    "bmi_from_30", "egfr_below_60", "egfr_from_60", "antihypertensive", "statin", "treated_sbp_from_110",
    "treated_non_hdl", "age_x_non_hdl", "age_x_hdl", "age_x_sbp_from_110", "age_x_diabetes", "age_x_smoking",
    "age_x_bmi_from_30", "age_x_egfr_below_60", "sdi_4_to_6", "sdi_7_to_10", "sdi_missing", "ln_uacr", "uacr_missing",
    "hba1c_diabetes", "hba1c_no_diabetes", "hba1c_missing",
]


def coefficient_matrix(sex):
    """[terms, outcomes]; fails on a term of the source that the graph does not know."""
    for outcome in OUTCOMES:
        unknown = set(EQUATIONS[outcome][sex]) - set(TERMS) - {"constant"}
        if unknown:
            sys.exit(f"coefficients.json: {outcome}/{sex} has unknown terms {sorted(unknown)}")
    return np.array([[EQUATIONS[o][sex].get(t, 0.0) for o in OUTCOMES] for t in TERMS], dtype=np.float64)


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

    def scaled(self, value, centre, unit):
        return self.add("Div", self.add("Sub", value, self.constant(centre)), self.constant(unit))


def build_model():
    g = Graph()
    column = {
        name: g.add("Gather", "x", g.constant([index], np.int64), axis=1) for index, name in enumerate(COLUMNS)
    }  # each [n, 1]
    mmol = g.constant(MMOL_PER_MG)
    non_hdl_mg = g.add("Sub", column["totalCholesterol"], column["hdlCholesterol"])
    sbp, bmi, egfr = column["systolicBloodPressure"], column["bodyMassIndex"], column["estimatedGfr"]
    t = {
        "age": g.scaled(column["age"], 55, 10),
        "non_hdl": g.add("Sub", g.add("Mul", non_hdl_mg, mmol), g.constant(3.5)),
        "hdl": g.scaled(g.add("Mul", column["hdlCholesterol"], mmol), 1.3, 0.3),
        "sbp_below_110": g.scaled(g.add("Min", sbp, g.constant(110)), 110, 20),
        "sbp_from_110": g.scaled(g.add("Max", sbp, g.constant(110)), 130, 20),
        "bmi_below_30": g.scaled(g.add("Min", bmi, g.constant(30)), 25, 5),
        "bmi_from_30": g.scaled(g.add("Max", bmi, g.constant(30)), 30, 5),
        "egfr_below_60": g.scaled(g.add("Min", egfr, g.constant(60)), 60, -15),
        "egfr_from_60": g.scaled(g.add("Max", egfr, g.constant(60)), 90, -15),
        "diabetes": column["diabetes"],
        "smoking": column["currentSmoker"],
        "antihypertensive": column["antihypertensiveMedication"],
        "statin": column["statinMedication"],
    }
    t["age_squared"] = g.add("Mul", t["age"], t["age"])
    t["treated_sbp_from_110"] = g.add("Mul", t["antihypertensive"], t["sbp_from_110"])
    t["treated_non_hdl"] = g.add("Mul", t["statin"], t["non_hdl"])
    for name in ("non_hdl", "hdl", "sbp_from_110", "diabetes", "smoking", "bmi_from_30", "egfr_below_60"):
        t[f"age_x_{name}"] = g.add("Mul", t["age"], t[name])
    known = {}
    for short, name in (
        ("hba1c", "haemoglobinA1c"), ("uacr", "urineAlbuminCreatinineRatio"), ("sdi", "socialDeprivationDecile")
    ):
        t[f"{short}_missing"] = column[f"{name} missing"]
        known[short] = g.add("Less", t[f"{short}_missing"], g.constant(0.5))
    zero, one = g.constant(0), g.constant(1)

    def where_known(short, value):
        """The value, or 0 whatever stands in the column of one that is missing."""
        return g.add("Where", known[short], value, zero)

    hba1c = where_known("hba1c", g.add("Sub", column["haemoglobinA1c"], g.constant(5.3)))
    t["hba1c_diabetes"] = g.add("Mul", hba1c, t["diabetes"])
    t["hba1c_no_diabetes"] = g.add("Mul", hba1c, g.add("Sub", one, t["diabetes"]))
    t["ln_uacr"] = where_known("uacr", g.add("Log", column["urineAlbuminCreatinineRatio"]))
    decile = column["socialDeprivationDecile"]
    from_4 = g.add("Where", g.add("Less", decile, g.constant(4)), zero, one)
    t["sdi_7_to_10"] = where_known("sdi", g.add("Where", g.add("Less", decile, g.constant(7)), zero, one))
    t["sdi_4_to_6"] = g.add("Sub", where_known("sdi", from_4), t["sdi_7_to_10"])
    terms = g.add("Concat", *[t[name] for name in TERMS], axis=1)

    def predictor(sex):
        constants = [EQUATIONS[outcome][sex]["constant"] for outcome in OUTCOMES]
        return g.add("Add", g.add("MatMul", terms, g.constant(coefficient_matrix(sex))), g.constant(constants))

    female = g.add("Greater", column["sex"], g.constant(0.5))
    chosen = g.add("Where", female, predictor("female"), predictor("male"))
    odds = g.add("Add", one, g.add("Exp", g.add("Neg", chosen)))
    g.nodes.append(helper.make_node("Div", [one, odds], ["risk"], name="risk"))

    graph = helper.make_graph(
        g.nodes,
        "prevent-full",
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
    """The published form for one person, term by term with the standard library: independent of the graph."""
    age = (person["age"] - 55) / 10
    hdl_mmol = person["hdlCholesterol"] * MMOL_PER_MG
    non_hdl = (person["totalCholesterol"] - person["hdlCholesterol"]) * MMOL_PER_MG - 3.5
    sbp, bmi, egfr = person["systolicBloodPressure"], person["bodyMassIndex"], person["estimatedGfr"]
    t = {
        "constant": 1,
        "age": age,
        "age_squared": age**2,
        "non_hdl": non_hdl,
        "hdl": (hdl_mmol - 1.3) / 0.3,
        "sbp_below_110": (min(sbp, 110) - 110) / 20,
        "sbp_from_110": (max(sbp, 110) - 130) / 20,
        "diabetes": person["diabetes"],
        "smoking": person["currentSmoker"],
        "bmi_below_30": (min(bmi, 30) - 25) / 5,
        "bmi_from_30": (max(bmi, 30) - 30) / 5,
        "egfr_below_60": (min(egfr, 60) - 60) / -15,
        "egfr_from_60": (max(egfr, 60) - 90) / -15,
        "antihypertensive": person["antihypertensiveMedication"],
        "statin": person["statinMedication"],
    }
    t["treated_sbp_from_110"] = t["antihypertensive"] * t["sbp_from_110"]
    t["treated_non_hdl"] = t["statin"] * t["non_hdl"]
    for name in list(t):
        t[f"age_x_{name}"] = age * t[name]
    hba1c, uacr, sdi = (person[name] for name in INPUTS[-3:])
    t["hba1c_missing"] = int(hba1c is None)
    t["uacr_missing"] = int(uacr is None)
    t["sdi_missing"] = int(sdi is None)
    t["hba1c_diabetes"] = hba1c - 5.3 if hba1c is not None and person["diabetes"] else 0
    t["hba1c_no_diabetes"] = hba1c - 5.3 if hba1c is not None and not person["diabetes"] else 0
    t["ln_uacr"] = math.log(uacr) if uacr is not None else 0
    t["sdi_4_to_6"] = int(sdi is not None and 4 <= sdi <= 6)
    t["sdi_7_to_10"] = int(sdi is not None and 7 <= sdi <= 10)
    terms = EQUATIONS[outcome][person["sex"]]
    return 1 / (1 + math.exp(-math.fsum(value * t[name] for name, value in terms.items())))


PEOPLE = {
    "low risk, woman of 32 with optimal values, deprivation decile 1": (32, "female", 160, 62, 104, 21.5, 112, False, False, False, False, 5.1, 4, 1),
    "low risk, man of 35 with optimal values, nothing known of the three": (35, "male", 165, 55, 112, 23, 108, False, False, False, False, None, None, None),
    "high risk, woman of 58, smoker with diabetes, albuminuria and reduced eGFR": (58, "female", 290, 34, 176, 38.5, 41, True, True, True, False, 10.2, 900, 10),
    "high risk, man of 59, treated, smoker with diabetes, deprivation not known": (59, "male", 240, 32, 172, 36, 52, True, True, True, True, 8.4, 310, None),
    "woman of 45 at the knots: SBP 110, BMI 30, eGFR 60, deprivation decile 4": (45, "female", 200, 50, 110, 30, 60, False, False, False, True, 5.3, 1, 4),
    "man of 50, albumin-creatinine ratio not known, deprivation decile 6": (50, "male", 205, 48, 128, 28, 85, False, True, False, False, 5.9, None, 6),
    "woman of 52 with diabetes, HbA1c not known, deprivation decile 7": (52, "female", 215, 44, 138, 33, 75, True, False, True, True, None, 45, 7),
    "man of 79 at the upper age limit, treated, deprivation decile 3": (79, "male", 210, 45, 148, 27, 66, False, False, True, True, 5.6, 12.5, 3),
}


def golden_cases():
    cases = []
    for name, values in PEOPLE.items():
        inputs = dict(zip(INPUTS, values))
        expected = {outcome.replace("_", "-"): scalar_risk(outcome, inputs) for outcome in OUTCOMES}
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
