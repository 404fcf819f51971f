"""Makes synthetic stays in hospital with 48 hours of vital signs, and whether the patient then deteriorated, by a known rule.

Every patient has a severity over time: it wanders around 0, and in four of ten it rises from some hour on. Each vital sign
is the patient's usual value, moved by the severity, with noise. The chance to deteriorate within a day of as-of is
1 / (1 + exp(3 - 1.8 · severity at as-of)); whether it happens is drawn. Nobody of them exists (HTEST).

    python stays.py stays.ndjson                 # all stays
    python stays.py records.ndjson stay-0000 …   # those of some patients
"""

import datetime
import json
import math
import random
import sys

SEED = 20260101
COUNT = 480
AS_OF = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
TEST_DATA = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}
# feature, LOINC code, display, unit, usual value and its spread between patients, noise, change for one of severity, digits, limits
VITALS = [
    ("pulse", "8867-4", "Heart rate", "/min", 80, 9, 4, 11, 0, (35, 190)),
    ("respiratoryRate", "9279-1", "Respiratory rate", "/min", 16, 1.8, 1.2, 3.2, 0, (6, 50)),
    ("systolicBloodPressure", "8480-6", "Systolic blood pressure", "mm[Hg]", 126, 12, 6, -9, 0, (60, 220)),
    ("oxygenSaturation", "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "%", 96.5, 0.9, 0.7, -1.9, 0, (70, 100)),
    ("temperature", "8310-5", "Body temperature", "Cel", 36.8, 0.2, 0.2, 0.45, 1, (34.5, 41.5)),
]


def make_stays():
    """Of each patient: id, the measurements as (feature index, hours before as-of, value), and 1 where it got worse."""
    draw = random.Random(SEED)
    stays = []
    for number in range(COUNT):
        usual = [draw.gauss(mean, spread) for _, _, _, _, mean, spread, *_ in VITALS]
        rises = draw.random() < 0.4
        onset, rate = draw.uniform(6, 40), draw.uniform(0.04, 0.12)
        measured = []
        wandering = draw.gauss(0, 0.4)
        severity = 0.0
        hour = 48 - draw.uniform(0.2, 3)
        while hour > 0.05:
            wandering = 0.8 * wandering + draw.gauss(0, 0.25)
            severity = wandering + (rate * max(0.0, onset - hour) if rises else 0.0)
            for index, (_, _, _, _, _, _, noise, change, digits, (low, high)) in enumerate(VITALS):
                if draw.random() < 0.2:
                    continue
                value = min(high, max(low, usual[index] + change * severity + draw.gauss(0, noise)))
                measured.append((index, round(hour, 2), round(value, digits) if digits else round(value)))
            hour -= draw.uniform(1.5, 6) / (1.5 if severity > 1 else 1)
        worse = draw.random() < 1 / (1 + math.exp(3 - 1.8 * severity))
        stays.append((f"stay-{number:04d}", measured, int(worse)))
    return stays


def resources(patient, measured):
    begin = (AS_OF - datetime.timedelta(hours=49)).strftime("%Y-%m-%dT%H:%M:%SZ")
    subject = {"reference": f"Patient/{patient}"}
    yield {"resourceType": "Patient", "id": patient, "meta": TEST_DATA, "name": [{"text": "Synthetic patient"}]}
    yield {
        "resourceType": "Encounter", "id": f"{patient}-stay", "meta": TEST_DATA, "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": subject, "period": {"start": begin},
    }
    for number, (index, hours, value) in enumerate(measured):
        _, code, display, unit, *_ = VITALS[index]
        when = AS_OF - datetime.timedelta(seconds=round(hours * 3600))
        yield {
            "resourceType": "Observation", "id": f"{patient}-{number}", "meta": TEST_DATA, "status": "final",
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}]},
            "subject": subject,
            "encounter": {"reference": f"Encounter/{patient}-stay"},
            "effectiveDateTime": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        }


if __name__ == "__main__":
    file, *wanted = sys.argv[1:]
    with open(file, "w", encoding="utf-8") as out:
        for patient, measured, _ in make_stays():
            if not wanted or patient in wanted:
                out.writelines(json.dumps(resource) + "\n" for resource in resources(patient, measured))
