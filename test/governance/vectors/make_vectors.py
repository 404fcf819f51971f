"""Writes vectors.json: statistics of made-up predictions, computed by scikit-learn, statsmodels and plain numpy.

The tests of src/governance/evaluation compare with them. Run by hand, with the versions of requirements.txt:

    pip install -r requirements.txt && python make_vectors.py && npx biome format --write vectors.json
"""

import json
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
    roc_auc_score,
    roc_curve,
)
from statsmodels.stats.proportion import proportion_confint

Z = 1.959963984540054


def delong(labels, scores):
    """Variance of the AUROC by the structural components of DeLong, DeLong and Clarke-Pearson (1988), pair by pair."""
    events, others = scores[labels == 1], scores[labels == 0]
    wins = (events[:, None] > others[None, :]) + 0.5 * (events[:, None] == others[None, :])
    return float(np.var(wins.mean(axis=1), ddof=1) / len(events) + np.var(wins.mean(axis=0), ddof=1) / len(others))


def expected_calibration_error(labels, scores, bins=10):
    """Ten bins of equal width, the upper end of each belongs to the next one but for 1."""
    at = np.minimum((scores * bins).astype(int), bins - 1)
    return float(
        sum(
            (at == one).mean() * abs(labels[at == one].mean() - scores[at == one].mean())
            for one in range(bins)
            if (at == one).any()
        )
    )


def recalibration(labels, scores):
    """Slope and intercept of a logistic regression on the logit, and the intercept with the slope held at 1."""
    at = logit(scores)
    family = sm.families.Binomial()
    free = sm.GLM(labels, sm.add_constant(at), family=family).fit(tol=1e-14, maxiter=200)
    held = sm.GLM(labels, np.ones_like(at), family=family, offset=at).fit(tol=1e-14, maxiter=200)
    return {
        "slope": float(free.params[1]),
        "slopeSe": float(free.bse[1]),
        "intercept": float(held.params[0]),
        "interceptSe": float(held.bse[0]),
    }


def thresholds(labels, scores):
    rows = []
    for threshold in (0.1, 0.2, 0.35, 0.5, 0.8):
        alerts = (scores >= threshold).astype(int)
        (tn, fp), (fn, tp) = confusion_matrix(labels, alerts, labels=[0, 1])
        n = len(labels)
        low, high = proportion_confint(tp, tp + fn, method="wilson")
        rows.append(
            {
                "threshold": threshold,
                "recall": tp / (tp + fn),
                "recallLow": float(low),
                "recallHigh": float(high),
                "specificity": tn / (tn + fp),
                "precision": tp / (tp + fp),
                "npv": tn / (tn + fn),
                "f1": float(f1_score(labels, alerts)),
                "accuracy": float(accuracy_score(labels, alerts)),
                "alertsPer100": 100 * (tp + fp) / n,
                "netBenefit": tp / n - fp / n * threshold / (1 - threshold),
            }
        )
    return rows


def events(name, labels, scores):
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    isotonic = IsotonicRegression(y_min=0, y_max=1).fit(scores, labels)
    distinct = np.unique(scores)
    prevalence = labels.mean()
    brier = brier_score_loss(labels, scores)
    expected = scores.sum()
    ratio = labels.sum() / expected
    ratio_se = np.sqrt((1 - prevalence) / labels.sum())
    return {
        "name": name,
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "auroc": float(roc_auc_score(labels, scores)),
        "aurocVariance": delong(labels, scores),
        "averagePrecision": float(average_precision_score(labels, scores)),
        "brier": float(brier),
        "scaledBrier": float(1 - brier / (prevalence * (1 - prevalence))),
        "logLoss": float(log_loss(labels, scores)),
        "observedToExpected": float(ratio),
        "observedToExpectedLow": float(ratio * np.exp(-Z * ratio_se)),
        "observedToExpectedHigh": float(ratio * np.exp(Z * ratio_se)),
        "ece": expected_calibration_error(labels, scores),
        **recalibration(labels, scores),
        "thresholds": thresholds(labels, scores),
        "roc": [fpr.tolist(), tpr.tolist()],
        "isotonic": [distinct.tolist(), isotonic.predict(distinct).tolist()],
    }


def measurement(name, labels, scores):
    difference = scores - labels
    return {
        "name": name,
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "mae": float(mean_absolute_error(labels, scores)),
        "rmse": float(np.sqrt(mean_squared_error(labels, scores))),
        "r2": float(r2_score(labels, scores)),
        "bias": float(difference.mean()),
        "lowerLimit": float(difference.mean() - Z * difference.std(ddof=1)),
        "upperLimit": float(difference.mean() + Z * difference.std(ddof=1)),
    }


def classes(name, labels, scores, known):
    precision, recall, f1, support = precision_recall_fscore_support(labels, scores, labels=known, zero_division=0)
    return {
        "name": name,
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "known": known,
        "accuracy": float(accuracy_score(labels, scores)),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "macroF1": float(f1.mean()),
        "confusion": confusion_matrix(labels, scores, labels=known).tolist(),
    }


def main():
    random = np.random.default_rng(20260301)
    true_risk = expit(random.normal(-1.2, 1.4, 160))
    happened = (random.random(160) < true_risk).astype(int)
    too_sure = np.clip(np.round(expit(1.8 * logit(true_risk) + 0.3), 2), 0.01, 0.99)
    rare = expit(random.normal(-3, 1, 220))
    rarely = (random.random(220) < rare).astype(int)
    value = np.round(random.normal(60, 15, 90), 1)
    kind = random.integers(0, 3, 120)
    said = np.where(random.random(120) < 0.7, kind, random.integers(0, 3, 120))
    vectors = {
        "events": [
            events("well calibrated, no ties", happened, true_risk),
            events("too sure of itself, with ties", happened, too_sure),
            events("a rare event", rarely, np.clip(rare * 3, 0.001, 0.9)),
        ],
        "measurement": [measurement("a laboratory value", value, np.round(value * 0.9 + random.normal(3, 6, 90), 2))],
        "classes": [classes("three classes", kind, said, [0, 1, 2])],
        "wilson": [
            [int(k), int(n), *map(float, proportion_confint(k, n, method="wilson"))]
            for k, n in ((0, 7), (7, 7), (3, 11), (481, 1000))
        ],
    }
    Path(__file__).with_name("vectors.json").write_text(json.dumps(vectors) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
