"""What the training scripts of the demonstration models share: the files of a model folder, and measured metrics.

A training script fits a model, exports it to ONNX, and gives everything to `ModelFolder.finish`, which measures the
model as it will be served (the scores of model.onnx, run here by onnxruntime) and writes the folder:

    python train.py            # writes the folder and seals it
    python train.py --check    # exits 1 unless every file would come out byte for byte the same

Nothing here is needed to install, start or test the server.
"""

import argparse
import csv
import hashlib
import importlib.metadata
import io
import json
import math
import pathlib
import sys

import numpy as np
import onnxruntime
import sklearn
from scipy.stats import norm, t
from sklearn.metrics import (
    average_precision_score, mean_absolute_error, mean_squared_error, r2_score, roc_auc_score,
)

SEED = 20260101
AS_OF = "2026-01-01T00:00:00.000Z"
THRESHOLD = 0.5
RESAMPLES = 1000
AT_THRESHOLD = ("accuracy", "recall", "precision", "f1")
UNBOUNDED = ("mae", "rmse", "r2")


# ---------------------------------------------------------------------------------------------------------- files

def plain(value):
    """Numbers as JSON of JavaScript writes them: a whole number has no `.0`."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def json_bytes(value, indent=2):
    """UTF-8 with a line end. Throws ValueError for NaN and infinity, which are no JSON."""
    return (json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def matrix_number(value):
    """With as many digits as it takes to read the same double back."""
    return str(plain(float(value)))


def read_matrix(file):
    """Rows of a matrix as dictionaries of texts."""
    with open(file, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def matrix_bytes(columns, rows):
    """CSV in the form of `fhirsight extract`: a head, RFC 4180, lines that end with CR LF."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def background_bytes(features, rows):
    """explanation/background.csv: what permutation-shapley measures contributions against."""
    lines = [",".join(features), *(",".join(matrix_number(value) for value in row) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def library(*names):
    """`scikit-learn 1.9.1, shap 0.51.0`, as they are installed."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


class ModelFolder:
    """models/<id>/<version>, seen from its training/train.py. Files are collected, and written or compared at the end."""

    def __init__(self, script):
        self.dir = pathlib.Path(script).resolve().parent.parent
        self.id, self.version = self.dir.parent.name, self.dir.name
        self.files = {}

    def put(self, name, content):
        self.files[name] = content if isinstance(content, bytes) else json_bytes(content)

    def seal(self, manifest):
        """The manifest with the SHA-256 of every other file that the server reads; the same as scripts/seal-model.ts."""
        read = {name: content for name, content in self.files.items() if not name.startswith("training/")}
        sums = {name: hashlib.sha256(read[name]).hexdigest() for name in sorted(read)}
        self.put("manifest.json", {**manifest, "checksums": sums})

    def asked(self):
        parser = argparse.ArgumentParser(description=f"Trains {self.id} {self.version} and writes its folder.")
        parser.add_argument("--check", action="store_true", help="write nothing; fail where a file would differ")
        parser.add_argument(
            "--draft", action="store_true", help="write manifest and feature map only, for `fhirsight extract --draft`"
        )
        return parser.parse_args()

    def draft(self, manifest, feature_map):
        """With --draft writes what `fhirsight extract` needs before there is a model, and ends the script."""
        if self.asked().draft:
            for name, content in {"manifest.json": {**manifest, "checksums": {}}, "feature-map.json": feature_map}.items():
                (self.dir / name).write_bytes(json_bytes(content))
            sys.exit(0)

    def end(self):
        """Writes all files, or with --check compares them with those that are there."""
        if self.asked().check:
            stale = [name for name, content in self.files.items() if not self.same(name, content)]
            if stale:
                sys.exit(f"{self.id}: differs from what train.py makes: {', '.join(stale)}")
            print(f"{self.id}: unchanged: " + ", ".join(self.files))
            return
        for name, content in self.files.items():
            target = self.dir / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        print(f"{self.id}: written: " + ", ".join(self.files))

    def same(self, name, content):
        target = self.dir / name
        return target.exists() and target.read_bytes() == content


# -------------------------------------------------------------------------------------------------------- serving

def onnx_bytes(model):
    """The bytes of an ONNX model, the same at every run: converters list the operator sets in the order of a hash."""
    imports = sorted(model.opset_import, key=lambda one: one.domain)
    del model.opset_import[:]
    model.opset_import.extend(imports)
    return model.SerializeToString(deterministic=True)


def served(artefact, feeds, output):
    """The named output of the graph for all rows at once, as float64 [n, columns]; a ZipMap's maps as their values."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(artefact, options, providers=["CPUExecutionProvider"])
    (found,) = session.run([output], feeds)
    if isinstance(found, list):
        found = [list(row.values()) for row in found]
    return np.asarray(found, dtype=np.float64)


def require_close(what, found, expected, tolerance):
    """Stops the script where the exported graph does not give what the training library gives."""
    worst = float(np.max(np.abs(np.asarray(found, dtype=np.float64) - np.asarray(expected, dtype=np.float64))))
    if not worst <= tolerance:
        sys.exit(f"{what}: differ by {worst}, more than {tolerance}")
    print(f"{what}: differ by {worst:.2g} at most")
    return worst


# -------------------------------------------------------------------------------------------------------- metrics

def probability_measures(truth, score):
    """Of an outcome that happened (1) or did not (0); the yes-or-no ones with a score of 0.5 and above as a yes."""
    counts = counts_at_threshold(truth, score)
    found, missed, alarmed = counts["found"], counts["missed"], counts["alarmed"]
    return {
        "auroc": roc_auc_score(truth, score),
        "average-precision": average_precision_score(truth, score),
        "brier": np.mean((score - truth) ** 2),
        **{measure: hits / of for measure, (hits, of) in proportions(counts).items()},
        "f1": 2 * found / (2 * found + missed + alarmed),
    }


def counts_at_threshold(truth, score):
    said, happened = score >= THRESHOLD, truth == 1
    return {
        "found": np.sum(said & happened), "missed": np.sum(~said & happened),
        "alarmed": np.sum(said & ~happened), "spared": np.sum(~said & ~happened),
    }


def proportions(counts):
    """By measure: how many, of how many."""
    found, missed, alarmed = counts["found"], counts["missed"], counts["alarmed"]
    return {
        "accuracy": (found + counts["spared"], sum(counts.values())),
        "recall": (found, found + missed),
        "precision": (found, found + alarmed),
    }


def number_measures(truth, score):
    """Of a number with a unit; errors in that unit."""
    return {
        "mae": mean_absolute_error(truth, score),
        "rmse": math.sqrt(mean_squared_error(truth, score)),
        "r2": r2_score(truth, score),
    }


def ranking_measures(truth, score):
    """Of a score that is no probability: only how well it tells the two apart."""
    return {"auroc": roc_auc_score(truth, score), "average-precision": average_precision_score(truth, score)}


def wilson_interval(hits, of):
    """95 %, of a proportion; other than the bootstrap it is no single point where all are hit."""
    share, square = hits / of, norm.ppf(0.975) ** 2
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = math.sqrt(square * (share * (1 - share) / of + square / (4 * of**2))) / (1 + square / of)
    # The ends of a proportion of none and of all are none and all, which rounding may miss.
    return min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach))


def bootstrap_intervals(measures, truth, score, resamples=RESAMPLES):
    """95 % percentile intervals over resampled rows; of a resample that holds one class only nothing is measured."""
    random = np.random.default_rng(SEED)
    found = {name: [] for name in measures(truth, score)}
    two_classes = len(np.unique(truth)) == 2
    while len(next(iter(found.values()))) < resamples:
        rows = random.integers(0, len(truth), len(truth))
        if two_classes and len(np.unique(truth[rows])) < 2:
            continue
        with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
            drawn = measures(truth[rows], score[rows])
        for name, value in drawn.items():
            found[name].append(value)
    return {name: tuple(np.percentile(values, [2.5, 97.5])) for name, values in found.items()}


def test_performance(measures, truth, score, outcome, population):
    """Entries of the card for the held-out rows, measured on the scores of model.onnx."""
    drawn = bootstrap_intervals(measures, truth, score)
    intervals = {name: (interval, f"percentiles of {RESAMPLES} bootstrap resamples of the rows") for name, interval in drawn.items()}
    if measures is probability_measures:
        shares = proportions(counts_at_threshold(truth, score)).items()
        intervals |= {name: (wilson_interval(hits, of), "Wilson") for name, (hits, of) in shares}
    return [
        entry(outcome, name, value, *intervals[name], truth, population, "internal-test")
        for name, value in measures(truth, score).items()
    ]


def cross_validated_performance(measures, truth, folds, fit_and_score, outcome, population):
    """
    Entries of the card for cross-validation in the training rows: the mean over folds, with the interval of a t
    distribution over the folds. Folds share training rows, so that the interval is rather too narrow.

    `fit_and_score(train, test)` fits on rows `train` and gives the scores of rows `test`.
    """
    found = [measures(truth[test], fit_and_score(train, test)) for train, test in folds]
    method = f"t distribution over {len(folds)} folds, which share training rows; kept within the limits of the measure"
    performance = []
    for name in found[0]:
        mean, interval = mean_and_interval([fold[name] for fold in found])
        bounded = interval if name in UNBOUNDED else tuple(min(1.0, max(0.0, end)) for end in interval)
        performance.append(entry(outcome, name, mean, bounded, method, truth, population, "cross-validation"))
    return performance


def mean_and_interval(values):
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))
    reach = t.ppf(0.975, len(values) - 1) * error
    return mean, (mean - reach, mean + reach)


def entry(outcome, measure, value, interval, method, truth, population, setting):
    """One measured metric in the form of model-card.json."""
    low, high = (float(end) for end in interval)
    return {
        "outcome": outcome,
        "measure": measure,
        "value": float(value),
        **({"threshold": THRESHOLD} if measure in AT_THRESHOLD else {}),
        "interval": {"low": low, "high": high, "level": 0.95, "method": method},
        "n": len(truth),
        **({} if measure in UNBOUNDED else {"events": int(np.sum(truth))}),
        "population": population,
        "setting": setting,
    }


# ------------------------------------------------------------------------------------------------ what is stored

def matrix(folder, features, outcome, subjects, inputs, columns, label, truth):
    """
    Held-out rows with their label, in the columns of `fhirsight extract` that the model's score needs: who, when, each
    feature as it was observed, the verdict, each column of the input, and the label at the end.

    `inputs`: for each feature a list of its values; `columns`: of (name, values), the input of the graph.
    """
    head = ["subject", "as_of", "encounter", "model", "version"]
    names = [name for feature in features for name in (feature, f"{feature}.state")]
    x = [f"x.{index}.{name}" for index, (name, _) in enumerate(columns)]
    rows = []
    for row, subject in enumerate(subjects):
        cells = {"subject": subject, "as_of": AS_OF, "encounter": "", "model": folder.id, "version": folder.version}
        for feature in features:
            value = inputs[feature][row]
            cells[feature] = value if isinstance(value, str) else matrix_number(value)
            cells[f"{feature}.state"] = "observed"
        cells[f"{outcome}.verdict"] = "score"
        for index, (_, values) in enumerate(columns):
            cells[x[index]] = values[row] if isinstance(values[row], str) else matrix_number(values[row])
        cells[label] = matrix_number(truth[row])
        rows.append(cells)
    return matrix_bytes([*head, *names, f"{outcome}.verdict", *x, label], rows)


def vectors(made_by, columns, rows, outcome, scores, explanation=None, subjects=None):
    """
    Rows of the input with the scores that the training library itself gives them, and their explanation if there is one.
    `subjects`: the patients whose records give these rows, where there are such records.
    """
    document = {"library": made_by, "columns": columns, "rows": rows, "outcome": outcome, "scores": scores}
    more = {"subjects": subjects, "explanation": explanation}
    return {**document, **{key: value for key, value in more.items() if value is not None}}


def golden(source, names, features, inputs, outcome, scores, rows, tolerance=1e-5):
    """Golden cases: the named rows with the score of the training library."""
    cases = [
        {
            "name": name,
            "inputs": {feature: inputs[feature][row] for feature in features},
            "expected": {outcome: scores[row]},
            "tolerance": tolerance,
        }
        for name, row in zip(names, rows, strict=True)
    ]
    return {"source": source, "cases": cases}


def card(folder, manifest, parts):
    """
    The card of a demonstration: what all have in common, and `parts` of this one (`name`, `type`, `development`,
    `trainingData`, `inputs`, `outputs`, `performance`, `fairness`, `limitations`, `codeLists`, `explanation`, `data_licence`).
    """
    site = {"notAvailable": "A demonstration: no site uses it in care."}
    return {
        "schema": 2,
        "model": folder.id,
        "version": folder.version,
        "name": f"{parts['name']} (demonstration)",
        "owner": site,
        "developer": {"equation": "fhirsight project, by training/train.py", "implementation": "fhirsight project"},
        "intendedUse": {
            "purpose": "Show how a model of this family is trained, checked, served and explained.",
            "users": "Data scientists and integrators who evaluate fhirsight.",
            "population": "Nobody in care.",
            "outOfScope": ["Every clinical use"],
        },
        "regulatory": [
            {
                "status": "none",
                "statement": "Not a medical device and not cleared by any authority. A demonstration: not for clinical use.",
            }
        ],
        "riskTier": site,
        "review": site,
        "algorithm": {"type": parts["type"], "development": parts["development"]},
        "trainingData": parts["trainingData"],
        "inputs": parts["inputs"],
        "outputs": parts["outputs"],
        "performance": parts["performance"],
        "effectOnOutcomes": site,
        "fairness": parts["fairness"],
        "maintenance": {
            "validityMonitoring": site,
            "localValidity": site,
            "fairnessMonitoring": site,
            "localFairness": site,
            "updates": "A change of what is computed is a new version of this folder; no times are planned.",
            "corrections": site,
        },
        "limitations": parts["limitations"],
        "codeLists": parts["codeLists"],
        "explanation": parts["explanation"],
        "licence": {"software": "Apache-2.0, as the project", "equation": parts["data_licence"]},
        "sources": manifest["sources"],
    }
