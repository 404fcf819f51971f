"""Makes short conclusions of chest radiographs, urgent and not, by a known rule. No sentence is of a patient.

A report is urgent where it asserts at least one urgent finding; a denied or an old one counts for nothing. Of all labels
5 % are turned over on purpose, as people disagree: no model can be right about those.
"""

import random

URGENT = [
    "tension pneumothorax on the {side}", "large pneumothorax on the {side}", "free air below the diaphragm",
    "widened mediastinum", "massive pleural effusion on the {side} with shift of the mediastinum",
    "acute pulmonary oedema", "tip of the tube in the {side} main bronchus", "new consolidation of the whole {side} lung",
]
ROUTINE = [
    "degenerative changes of the spine", "old healed rib fractures on the {side}", "small granuloma in the {side} upper lobe",
    "mild enlargement of the heart", "elongated aorta", "pleural thickening at the {side} apex", "clear lungs",
    "normal size of the heart", "linear atelectasis at the {side} base", "small hiatal hernia",
]
DENIED = ["no pneumothorax", "no free air", "no pleural effusion", "no consolidation", "no pulmonary oedema", "no widened mediastinum"]
OLD = ["the pneumothorax of the last study has resolved", "the consolidation of the last study has cleared", "the effusion of the last study has been drained"]
NOISE = 0.05


def make_reports(count, seed):
    """Texts, and 1 for urgent, as many different texts as `count`."""
    draw = random.Random(seed)
    labels = {}
    while len(labels) < count:
        urgent = draw.random() < 0.4
        parts = draw.sample(ROUTINE, draw.randint(0 if urgent else 1, 2)) + draw.sample(DENIED, draw.randint(0, 2))
        if draw.random() < 0.25:
            parts.append(draw.choice(OLD))
        if urgent:
            parts.append(draw.choice(URGENT))
        draw.shuffle(parts)
        sentences = [part.format(side=draw.choice(["left", "right"])) for part in parts]
        text = " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences)
        flipped = draw.random() < NOISE
        labels.setdefault(text, int(urgent != flipped))
    return list(labels), list(labels.values())
