"""Makes the tensors that the tests of src/imaging/preprocess compare with: references.json and one .npy (float64) for each case.

    python -m venv build && build/bin/pip install -r requirements.txt
    build/bin/python make-references.py FOLDER_OF_DICOM_FILES

Pixels, modality and VOI LUTs are pydicom's; resampling is Pillow's, SciPy's or an integral with NumPy, whichever has the
method. Nothing here is needed to run the tests. The files are public test files of pydicom; what is changed of them is said for
each frame as DICOM JSON (null takes an attribute away), and the tests change the same.
"""

import copy
import json
import pathlib
import sys

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_windowing
from pydicom.pixels.processing import apply_voi
from scipy.ndimage import map_coordinates

HERE = pathlib.Path(__file__).resolve().parent


# What the cases declare.

def element(vr, *values):
    return {"vr": vr, "Value": list(values)}


def gray(place="none"):
    return {"step": "channels", "as": "gray", "place": place}


def crop(*size):
    return {"step": "crop", "size": list(size), "at": "centre"}


def resample(method, *size, antialias=False):
    return {"step": "resample", "size": list(size), "method": method, "antialias": antialias}


def spaced(method, *spacing, antialias=False):
    return {"step": "resample", "spacingMm": list(spacing), "method": method, "antialias": antialias}


def window(center, width, function=None):
    return {"step": "window", "center": center, "width": width, **({"function": function} if function else {})}


OWN = {"step": "window", "from": "image"}
MONOCHROME1 = {"00280004": element("CS", "MONOCHROME1")}
INVERSE = {"20500020": element("CS", "INVERSE")}
SIGMOID = {"00281050": element("DS", 20, 900), "00281051": element("DS", 350, 10), "00281056": element("CS", "SIGMOID")}
MODALITY_TABLE = {
    "00281052": None,
    "00281053": None,
    "00283000": element("SQ", {
        "00283002": element("US", 700, 1000, 16),
        "00283004": element("LO", "US"),
        "00283006": element("US", *[round(3000 * (i / 699) ** 1.7) for i in range(700)]),
    }),
}
VOI_TABLE = {
    "00283010": element("SQ", {
        "00283002": element("SS", 512, -300, 12),
        "00283006": element("US", *[round(4095 * np.sin(i / 511 * np.pi / 2)) for i in range(512)]),
    }),
    "00281050": element("DS", 40),
    "00281051": element("DS", 400),
}
VOI_TABLE_OF_TABLE = {
    "00283010": element("SQ", {
        "00283002": element("US", 256, 300, 10),
        "00283006": element("US", *[1023 - 4 * i for i in range(256)]),
    }),
}
PADDED = {"00280120": element("SS", 150), "00280121": element("SS", 300)}


def slice_at(index, slope):
    return {
        "00200032": element("DS", -10, 5, 2.5 * index),
        "00281053": element("DS", slope),
        "00281052": element("DS", -1024 + 10 * index),
    }


SLICES = [slice_at(index, slope) for index, slope in enumerate([1, 1.5, 0.5, 2, 1.25])]


def two_halves():
    """One file as two frames, each with a rescale and a window of its own (an enhanced object)."""
    def groups(slope, intercept, center):
        return {
            "00289145": element("SQ", {"00281052": element("DS", intercept), "00281053": element("DS", slope)}),
            "00289132": element("SQ", {"00281050": element("DS", center), "00281051": element("DS", 800)}),
        }
    patch = {
        "00280008": element("IS", 2),
        "00280010": element("US", 64),
        "52009230": element("SQ", groups(1, -1024, 0), groups(2, -500, 1200)),
    }
    return [{"frame": 0, "patch": patch}, {"frame": 1, "patch": patch}]


def case(name, file, preprocess, patches=({},), take="one-image", frames=None):
    return {
        "name": name, "file": file, "take": take, "preprocess": preprocess,
        "frames": frames or [{"frame": 0, "patch": patch} for patch in patches],
    }


def methods():
    for method, antialias in [("nearest", False), ("linear", False), ("linear", True), ("cubic", False), ("cubic", True), ("area", False)]:
        name = method + ("-antialias" if antialias else "")
        yield case(f"smaller-{name}", "MR_small.dcm", [OWN, crop(63, 61), resample(method, 23, 20, antialias=antialias), gray()])
        yield case(f"larger-{name}", "MR_small.dcm", [OWN, crop(13, 15), resample(method, 33, 40, antialias=antialias), gray()])
    for method, antialias in [("nearest", False), ("linear", False), ("linear", True), ("area", False)]:
        name = method + ("-antialias" if antialias else "")
        yield case(f"spacing-{name}", "CT_small.dcm", [window(0, 1500), spaced(method, 2.7, 3.1, antialias=antialias), crop(30, 26), gray()])
    yield case("spacing-finer-linear", "CT_small.dcm", [window(0, 1500), spaced("linear", 0.5, 0.4), crop(20, 20), gray()])


CASES = [
    case("modality-rescale", "CT_small.dcm", [crop(24, 24), gray()]),
    case("modality-table", "CT_small.dcm", [crop(24, 24), gray()], [MODALITY_TABLE]),
    case("modality-none", "MR_small.dcm", [crop(24, 24), gray()]),
    case("window-linear", "CT_small.dcm", [window(40, 400), crop(24, 24), gray()]),
    case("window-linear-narrow", "CT_small.dcm", [window(40, 1), crop(24, 24), gray()]),
    case("window-linear-exact", "CT_small.dcm", [window(40, 400, "LINEAR_EXACT"), crop(24, 24), gray()]),
    case("window-sigmoid", "CT_small.dcm", [window(40, 400, "SIGMOID"), crop(24, 24), gray()]),
    case("window-of-image", "MR_small.dcm", [OWN, crop(24, 24), gray()]),
    case("window-of-image-sigmoid-first-of-two", "CT_small.dcm", [OWN, crop(24, 24), gray()], [SIGMOID]),
    case("voi-table", "CT_small.dcm", [OWN, crop(24, 24), gray()], [VOI_TABLE]),
    case("voi-table-after-modality-table", "CT_small.dcm", [OWN, crop(24, 24), gray()], [{**MODALITY_TABLE, **VOI_TABLE_OF_TABLE}]),
    case("monochrome1", "MR_small.dcm", [OWN, crop(24, 24), gray()], [MONOCHROME1]),
    case("monochrome1-sigmoid", "CT_small.dcm", [OWN, crop(24, 24), gray()], [{**MONOCHROME1, **SIGMOID}]),
    case("monochrome1-voi-table", "CT_small.dcm", [OWN, crop(24, 24), gray()], [{**MONOCHROME1, **VOI_TABLE}]),
    case("inverse", "MR_small.dcm", [OWN, crop(24, 24), gray()], [INVERSE]),
    case("inverse-monochrome1-resampled-first", "MR_small.dcm", [resample("linear", 20, 20), OWN, gray()], [{**MONOCHROME1, **INVERSE}]),
    case("monochrome1-rescale", "MR_small.dcm",
         [{"step": "rescale", "from": [100, 2000], "to": [-1, 1], "clip": True}, crop(24, 24), gray()], [MONOCHROME1]),
    case("rescale-without-clip", "CT_small.dcm",
         [{"step": "rescale", "from": [-1000, 1000], "to": [0, 1], "clip": False}, crop(24, 24), gray()]),
    case("padding", "CT_small.dcm", [window(0, 1000), crop(64, 64), gray()], [PADDED]),
    case("padding-monochrome1", "CT_small.dcm", [window(0, 1000), crop(64, 64), gray()], [{**PADDED, **MONOCHROME1}]),
    case("padding-resampled-linear", "CT_small.dcm", [resample("linear", 50, 47), window(0, 1000), gray()], [PADDED]),
    case("padding-resampled-area", "CT_small.dcm", [resample("area", 50, 47), window(0, 1000), gray()], [PADDED]),
    case("gray-to-3-normalised-last", "MR_small.dcm",
         [OWN, resample("area", 12, 12), {"step": "channels", "as": "gray-to-3", "place": "last"},
          {"step": "normalise", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}]),
    case("rgb-normalised-first", "SC_rgb_jpeg_dcmd.dcm",
         [{"step": "rescale", "from": [0, 255], "to": [0, 1], "clip": True}, resample("area", 15, 12),
          {"step": "channels", "as": "rgb", "place": "first"},
          {"step": "normalise", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}]),
    case("rgb-to-gray", "SC_rgb_jpeg_dcmd.dcm",
         [{"step": "channels", "as": "gray", "place": "first", "colour": "luma"}, resample("linear", 20, 20)]),
    case("pad-centre", "MR_small.dcm", [OWN, crop(9, 14), {"step": "pad", "size": [16, 17], "value": -1, "at": "centre"}, gray()]),
    case("pad-end", "MR_small.dcm", [OWN, crop(9, 14), {"step": "pad", "size": [12, 20], "value": 0.5, "at": "end"}, gray()]),
    case("frames-of-one-file", "SC_rgb_rle_2frame.dcm",
         [resample("area", 2, 9, 8), {"step": "channels", "as": "rgb", "place": "last"}], take="stack",
         frames=[{"frame": 0, "patch": {}}, {"frame": 1, "patch": {}}]),
    case("values-per-frame", "CT_small.dcm", [OWN, crop(2, 24, 24), gray("first")], take="stack", frames=two_halves()),
    case("slope-per-slice", "CT_small.dcm", [crop(5, 10, 10), gray()], SLICES, take="volume"),
    case("volume-size-linear", "CT_small.dcm", [window(0, 2000), resample("linear", 7, 12, 11), gray()], SLICES, take="volume"),
    case("volume-size-linear-antialias", "CT_small.dcm", [window(0, 2000), resample("linear", 3, 12, 11, antialias=True), gray("last")],
         SLICES, take="volume"),
    case("volume-size-area", "CT_small.dcm", [window(0, 2000), resample("area", 3, 12, 11), gray()], SLICES, take="volume"),
    case("volume-size-nearest", "CT_small.dcm", [window(0, 2000), crop(5, 127, 125), resample("nearest", 8, 12, 11), gray()], SLICES, take="volume"),
    case("volume-spacing-linear", "CT_small.dcm",
         [window(0, 2000), spaced("linear", 2, 6, 7), {"step": "pad", "size": [8, 16, 14], "value": 0, "at": "centre"}, crop(8, 12, 12), gray()],
         SLICES, take="volume"),
    case("volume-padding-linear", "CT_small.dcm", [resample("linear", 4, 14, 14), window(0, 1000), gray()],
         [{**PADDED, **patch} for patch in SLICES], take="volume"),
    *methods(),
]


# What the tools make of them. Arrays are [slices, rows, columns, channels].

def patched(file, patch):
    dataset = pydicom.dcmread(file)
    for tag, value in patch.items():
        if value is None:
            del dataset[int(tag, 16)]
        else:
            dataset.update(Dataset.from_json({tag: value}))
    return dataset


def attributes_of(dataset, frame):
    """The dataset with what its per-frame groups say of one frame at its top, where pydicom looks."""
    groups = dataset.get("PerFrameFunctionalGroupsSequence")
    if groups is not None:
        dataset.update(groups[frame].PixelValueTransformationSequence[0])
        dataset.update(groups[frame].FrameVOILUTSequence[0])
    return dataset


def windowed(values, dataset, step):
    if step.get("from") == "image":
        table = dataset.get("VOILUTSequence")
        if table:
            return apply_voi(values.astype(np.int32), dataset) / (2.0 ** table[0].LUTDescriptor[2] - 1)
    else:
        dataset.WindowCenter = step["center"]
        dataset.WindowWidth = step["width"]
        dataset.VOILUTFunction = step.get("function", "LINEAR")
    low, high = apply_windowing(np.array([-1e9, 1e9]), dataset) if dataset.get("VOILUTFunction") != "SIGMOID" else sigmoid_ends(dataset)
    return (apply_windowing(values.astype(np.float64), dataset) - low) / (high - low)


def sigmoid_ends(dataset):
    """pydicom scales a window to the range that the stored bits could hold; with LINEAR the two ends can be read off."""
    other = copy.deepcopy(dataset)
    other.VOILUTFunction = "LINEAR"
    return apply_windowing(np.array([-1e9, 1e9]), other)


def along(values, axis, count, scale, method, antialias):
    """One axis by a tool that has the method."""
    size = values.shape[axis]
    flat = np.moveaxis(values, axis, 0).reshape(size, -1)
    if method == "nearest":
        index = Image.fromarray(np.arange(size, dtype=np.int32)[:, None], mode="I")
        box = (0, 0, 1, min(size, count * scale))
        made = flat[np.asarray(index.resize((1, count), Image.Resampling.NEAREST, box=box))[:, 0]]
    elif method == "area":
        integral = np.vstack([np.zeros(flat.shape[1]), np.cumsum(flat, axis=0)])
        edges = np.minimum(np.arange(count + 1) * scale, size)
        at = np.array([np.interp(edges, np.arange(size + 1), column) for column in integral.T]).T
        made = np.diff(at, axis=0) / np.diff(edges)[:, None]
    elif method == "linear" and not antialias:
        middle = (np.arange(count) + 0.5) * scale - 0.5
        made = np.array([map_coordinates(column, [middle], order=1, mode="nearest") for column in flat.T]).T
    elif antialias or count >= size:
        kernel = {"linear": Image.Resampling.BILINEAR, "cubic": Image.Resampling.BICUBIC}[method]
        image = Image.fromarray(flat.astype(np.float32))
        made = np.asarray(image.resize((flat.shape[1], count), kernel, box=(0, 0, flat.shape[1], min(size, count * scale))), dtype=np.float64)
    else:
        # Without antialias: each place by itself, as if it were as large as an old one.
        image = Image.fromarray(flat.astype(np.float32))
        middle = (np.arange(count) + 0.5) * scale
        rows = [image.resize((flat.shape[1], 1), Image.Resampling.BICUBIC, box=(0, at - 0.5, flat.shape[1], at + 0.5)) for at in middle]
        made = np.vstack([np.asarray(row) for row in rows]).astype(np.float64)
    return np.moveaxis(made.reshape(count, *np.delete(np.array(values.shape), axis)), 0, axis)


def resampled(values, valid, step, spacing):
    """`values` without padding where there is none; else the mean of what is image, by its weights."""
    size, wanted = step.get("size"), step.get("spacingMm")
    axes = list(range(3))[-len(size or wanted):]
    plan = []
    for index, axis in enumerate(axes):
        old = values.shape[axis]
        if wanted is None:
            plan.append((axis, size[index], old / size[index]))
        else:
            plan.append((axis, max(1, int(np.floor(old * spacing[axis] / wanted[index] + 0.5))), wanted[index] / spacing[axis]))

    def all_axes(array):
        # Values of pixels are made across columns first here and across rows first there: both are the same sum.
        for axis, count, scale in plan:
            array = along(array, axis, count, scale, step["method"], step["antialias"])
        return array

    if valid.all():
        made = all_axes(values)
        return made, np.ones_like(made, dtype=bool)
    weight = all_axes(valid.astype(np.float64))
    return all_axes(values * valid) / np.where(weight == 0, 1, weight), weight >= 0.5


def fitted(values, size, step):
    for axis, wanted in zip(list(range(3))[-len(size):], size):
        old = values.shape[axis]
        if step["step"] == "crop" and wanted < old:
            start = (old - wanted) // 2
            values = np.take(values, range(start, start + wanted), axis=axis)
        if step["step"] == "pad" and wanted > old:
            before = (wanted - old) // 2 if step["at"] == "centre" else 0
            widths = [(0, 0)] * 4
            widths[axis] = (before, wanted - old - before)
            values = np.pad(values, widths, constant_values=step["value"])
    return values


def reference(folder, declared):
    slices, masks, datasets = [], [], []
    for each in declared["frames"]:
        dataset = patched(folder / declared["file"], each["patch"])
        stored = dataset.pixel_array
        if dataset.get("NumberOfFrames", 1) > 1:
            stored = stored[each["frame"]]
        dataset = attributes_of(dataset, each["frame"])
        valid = np.ones(stored.shape, dtype=bool)
        if stored.ndim == 2:
            values = apply_modality_lut(stored, dataset).astype(np.float64)
            if "PixelPaddingRangeLimit" in dataset:
                valid = ~((stored >= dataset.PixelPaddingValue) & (stored <= dataset.PixelPaddingRangeLimit))
            values, valid = values[..., None], valid[..., None]
        else:
            values = stored.astype(np.float64)
        slices.append(values)
        masks.append(valid)
        datasets.append(dataset)
    values, valid = np.stack(slices), np.stack(masks)
    spacing = None
    if "PixelSpacing" in datasets[0]:
        between = 1 if len(datasets) == 1 else np.linalg.norm(np.subtract(datasets[1].get("ImagePositionPatient", [0]), datasets[0].get("ImagePositionPatient", [1])))
        spacing = [between, *map(float, datasets[0].PixelSpacing)]
    steps = declared["preprocess"]
    shows = next((step for step in steps if step["step"] == "window"), next((step for step in steps if step["step"] == "rescale"), None))
    inverted = datasets[0].PhotometricInterpretation == "MONOCHROME1" or datasets[0].get("PresentationLUTShape") == "INVERSE"
    place = "none"
    for step in steps:
        kind = step["step"]
        if kind in ("window", "rescale"):
            if kind == "window":
                made = [windowed(values[at], datasets[min(at, len(datasets) - 1)], step) for at in range(len(values))]
                values, low, high = np.stack(made), 0, 1
            else:
                (a, b), (low, high) = step["from"], step["to"]
                values = np.interp(values, [a, b], [low, high]) if step["clip"] else low + (values - a) / (b - a) * (high - low)
            if step is shows:
                values = np.where(valid, low + high - values if inverted else values, low)
                valid = np.ones_like(valid)
        elif kind == "resample":
            values, valid = resampled(values, valid, step, spacing)
        elif kind in ("crop", "pad"):
            values, valid = fitted(values, step["size"], step), fitted(valid, step["size"], {**step, "value": True})
        elif kind == "channels":
            place = step["place"]
            if step["as"] == "gray" and values.shape[-1] == 3:
                values = values @ np.array([[0.299], [0.587], [0.114]])
            if step["as"] == "gray-to-3":
                values = np.repeat(values, 3, axis=-1)
        elif kind == "normalise":
            values = (values - np.array(step["mean"])) / np.array(step["std"])
    if declared["take"] == "one-image":
        values = values[0]
    if place == "none":
        return values[..., 0]
    return np.moveaxis(values, -1, 0) if place == "first" else values


def main():
    folder = pathlib.Path(sys.argv[1])
    stored = []
    for declared in CASES:
        made = reference(folder, declared)
        assert np.isfinite(made).all(), declared["name"]
        np.save(HERE / f"{declared['name']}.npy", np.ascontiguousarray(made, dtype=np.float64))
        stored.append({**declared, "shape": list(made.shape)})
        print(declared["name"], made.shape, made.min(), made.max())
    (HERE / "references.json").write_text(json.dumps({"cases": stored}, indent=1, allow_nan=False) + "\n")


main()
