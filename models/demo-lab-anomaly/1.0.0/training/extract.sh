#!/bin/sh
# Makes matrix.csv: sample patients of fhirsight, read by `fhirsight extract` through the feature map.
# Needs Node 24 and, as PYTHON, the Python of the virtual environment.
set -eu
cd "$(dirname "$0")"
root=$(cd ../../../.. && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/models"
cp -r "$root/models/fib4" "$work/models/"
export DATA_DIR="$work/data" MODELS_DIR="$work/models"
"${PYTHON:-python}" train.py --draft
node "$root/bin/fhirsight.js" sample --patients 400 --seed 7 --reference-date 2026-01-01 --load
node "$root/bin/fhirsight.js" extract --draft .. --cohort all --as-of 2026-01-01T00:00:00Z --out "$work/extracted.csv"
"${PYTHON:-python}" "$root/scripts/python/cut_matrix.py" "$work/extracted.csv" matrix.csv \
  creatinine glucose sodium potassium aspartateAminotransferase alanineAminotransferase totalCholesterol hdlCholesterol triglycerides
