"""
Drawings that look a little like a chest radiograph: ellipses, arcs and noise, made from a seed. They show nobody, and what
is drawn into them is no finding: the names of the classes say what was drawn, and where in the picture.

    python phantoms.py DIR            # writes one DICOM file of each class into DIR, as CR images of nobody

A drawing is `stored`: uint16 [200, 200], 12 bits, as a detector would keep it (MONOCHROME2: 0 is black).
"""

import pathlib
import sys

import numpy as np

SIZE = 200
BITS = 12
LARGEST = 2**BITS - 1

CLASSES = (
    ("nothing-added", "Nothing added to the drawing"),
    ("spot-left", "Round spot drawn in the left field of the picture"),
    ("spot-right", "Round spot drawn in the right field of the picture"),
    ("level-left", "Level drawn at the bottom of the left field of the picture"),
    ("level-right", "Level drawn at the bottom of the right field of the picture"),
    ("dark-left", "Dark rim drawn in the left field of the picture"),
    ("dark-right", "Dark rim drawn in the right field of the picture"),
    ("wide-centre", "Centre of the picture drawn wide"),
    ("box", "Box with a wire drawn over the picture"),
    ("haze", "Both fields of the picture drawn hazy"),
)

ROWS, COLUMNS = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)


def inside(centre, radii, turned=0.0):
    """Which pixels lie inside an ellipse; centre and radii as (row, column), turned by an angle in radians."""
    down, across = ROWS - centre[0], COLUMNS - centre[1]
    along = down * np.cos(turned) + across * np.sin(turned)
    beside = across * np.cos(turned) - down * np.sin(turned)
    return (along / radii[0]) ** 2 + (beside / radii[1]) ** 2 <= 1


def softened(picture, times):
    """A mean over the four neighbours, some times over: edges of a radiograph are not sharp."""
    for _ in range(times):
        padded = np.pad(picture, 1, mode="edge")
        picture = (picture + padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 5
    return picture


def draw(label, random):
    """`stored` of one class; `random` is a numpy Generator, and the only source of what differs between drawings."""
    name = CLASSES[label][0]
    shift = random.uniform(-6, 6, 2)
    scale = random.uniform(0.92, 1.06)
    tissue, air = random.uniform(2100, 2500), random.uniform(750, 1050)

    def place(row, column):
        return 100 + (row - 100) * scale + shift[0], 100 + (column - 100) * scale + shift[1]

    picture = np.full((SIZE, SIZE), random.uniform(60, 160))
    picture[inside(place(115, 100), (105 * scale, 88 * scale))] = tissue
    fields = {}
    for side, column, turned in (("left", 62, 0.12), ("right", 138, -0.12)):
        fields[side] = inside(place(95, column), (62 * scale, 28 * scale), turned)
        picture[fields[side]] = air
    spine = np.abs(COLUMNS - place(100, 100)[1]) < 9 * scale
    picture[spine & inside(place(115, 100), (105 * scale, 88 * scale))] += 500
    width = random.uniform(42, 50) if name == "wide-centre" else random.uniform(24, 29)
    picture[inside(place(125, 110), (30 * scale, width * scale), 0.4)] = tissue + random.uniform(250, 450)
    for rib in range(7):
        row, _ = place(42 + rib * 17, 100)
        arc = np.abs(ROWS - row - ((COLUMNS - 100) / 26) ** 2) < 2.2 * scale
        picture[arc & (fields["left"] | fields["right"])] += random.uniform(150, 260)

    kind, _, side = name.partition("-")
    if kind == "spot":
        picture[fields[side] & inside(spot(place, side, random), (radius := random.uniform(7, 11), radius))] += 1100
    elif kind == "level":
        top, _ = place(random.uniform(112, 126), 100)
        picture[fields[side] & (ROWS > top)] = tissue + random.uniform(-80, 120)
    elif kind == "dark":
        inner = inside(place(102, 66 if side == "left" else 134), (54 * scale, 19 * scale), 0.12 if side == "left" else -0.12)
        picture[fields[side] & ~inner] = random.uniform(150, 300)
    elif kind == "box":
        row, column = place(random.uniform(48, 62), random.uniform(48, 64))
        picture[(np.abs(ROWS - row) < 10) & (np.abs(COLUMNS - column) < 13)] = 3900
        picture[(np.abs(ROWS - row - (COLUMNS - column) * 0.8) < 1.6) & (COLUMNS > column) & (COLUMNS < place(0, 108)[1])] = 3700
    elif kind == "haze":
        both = fields["left"] | fields["right"]
        picture[both] += random.uniform(450, 650) + softened(random.normal(0, 380, picture.shape), 6)[both]

    noisy = softened(picture, 2) + random.normal(0, 45, picture.shape)
    return np.clip(np.rint(noisy), 0, LARGEST).astype(np.uint16)


def spot(place, side, random):
    column = random.uniform(54, 68) if side == "left" else random.uniform(132, 146)
    return place(random.uniform(62, 108), column)


def draw_many(each, seed):
    """`each` drawings of every class in turn: stored [n, 200, 200] and labels [n]."""
    random = np.random.default_rng(seed)
    labels = np.tile(np.arange(len(CLASSES)), each)
    return np.stack([draw(label, random) for label in labels]), labels


def dicom_file(stored, label, number):
    """One drawing as a CR image of nobody: its UIDs lie below 2.25 and follow from its class and number."""
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    root = f"2.25.7320508075688772{label:02d}{number:04d}"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = f"{root}.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = "2.25.73205080756887729999"
    image = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    image.StudyInstanceUID, image.SeriesInstanceUID = f"{root}.1", f"{root}.2"
    image.ImageType = ["ORIGINAL", "PRIMARY"]
    image.Modality, image.BodyPartExamined, image.ViewPosition = "CR", "CHEST", "PA"
    image.BurnedInAnnotation = "NO"
    image.PatientName, image.PatientID, image.IssuerOfPatientID = "DRAWING^NOBODY", f"PHANTOM-{label:02d}", "FHIRSIGHT-PHANTOM"
    image.PatientBirthDate, image.PatientSex = "", "O"
    image.StudyDate, image.StudyTime = "20260101", "120000"
    image.AccessionNumber, image.StudyID, image.ReferringPhysicianName = "", "", ""
    image.SeriesNumber, image.InstanceNumber = 1, 1
    image.SeriesDescription = "Drawn phantom, not for clinical use"
    image.ImageComments = "Synthetic drawing of nobody, not for clinical use"
    image.Rows, image.Columns, image.SamplesPerPixel = SIZE, SIZE, 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, BITS, BITS - 1, 0
    image.WindowCenter, image.WindowWidth = 2 ** (BITS - 1), 2**BITS
    image.PixelData = stored.astype("<u2").tobytes()
    return image


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    drawings, labels = draw_many(1, 20260102)
    for stored, label in zip(drawings, labels, strict=True):
        dicom_file(stored, int(label), 1).save_as(target / f"{CLASSES[label][0]}.dcm", enforce_file_format=True)
