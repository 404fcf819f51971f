"""Cuts a matrix of `fhirsight extract` down to what training reads, small enough to be kept beside the script.

    python cut_matrix.py extracted.csv kept.csv [feature …]

Kept are the rows about which the model may speak, of these who and when, the values of the named features, and the columns
of the input (`x.`).
"""

import sys

import fhirsight_training as training

source, target, *features = sys.argv[1:]
rows = training.read_matrix(source)
failed = [row["error"] for row in rows if row["error"]]
if failed:
    sys.exit(f"{source}: {len(failed)} rows failed, the first with: {failed[0]}")
columns = [name for name in rows[0] if name in ("subject", "as_of", *features) or name.startswith("x.")]
x = [name for name in columns if name.startswith("x.")]
kept = [{name: row[name] for name in columns} for row in rows if all(row[name] for name in x)]
with open(target, "wb") as file:
    file.write(training.matrix_bytes(columns, kept))
print(f"{target}: {len(kept)} of {len(rows)} rows kept")
