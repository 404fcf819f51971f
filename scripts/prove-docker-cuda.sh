#!/usr/bin/env bash
# Builds docker/Dockerfile.cuda on the image that scripts/prove-docker.sh left behind, without a container engine or a
# registry of images, and asks `fhirsight doctor` in it what is still missing: on a machine without a GPU, the driver alone.
#
#     sudo scripts/prove-docker.sh FOLDER && sudo scripts/prove-docker-cuda.sh FOLDER
#
# Needs what that one needs, PyPI, and 12 GB in FOLDER. The Python image of the Dockerfile is replaced by the base of that
# script with Debian's python3-pip; every other line is the Dockerfile's, read by buildah.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=${1:?the folder that scripts/prove-docker.sh was given}

image_tool() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
step() { printf '\n== %s\n' "$*"; }

step 'Python image: the base with python3-pip'
python=$(image_tool from localhost/node-base)
image_tool run --isolation chroot "$python" sh -c \
  'apt-get update -q && apt-get install -qy --no-install-recommends python3-pip && rm /usr/lib/python3*/EXTERNALLY-MANAGED'
image_tool config --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$python"
image_tool commit --quiet --rm "$python" localhost/python-base > /dev/null

step 'image: every line of docker/Dockerfile.cuda, by buildah'
image_tool bud --isolation chroot --format docker --build-arg PYTHON_IMAGE=localhost/python-base \
  --build-arg FHIRSIGHT_IMAGE=localhost/fhirsight --file "$root/docker/Dockerfile.cuda" \
  --ignorefile "$root/.dockerignore" --tag localhost/fhirsight-cuda "$root"

step 'container: fhirsight doctor, as the user of the image'
built=$(image_tool from localhost/fhirsight-cuda)
trap 'image_tool rm "$built" > /dev/null' EXIT
code=0
said=$(image_tool run --isolation chroot "$built" -- node bin/fhirsight.js doctor --policy require-gpu) || code=$?
printf '%s\n' "$said"

expect() { # what it is, what must come, what came
  if [ "$2" = "$3" ]; then printf 'ok    %s: %s\n' "$1" "$3"; else printf 'FAIL  %s: %s, not %s\n' "$1" "$3" "$2"; exit 1; fi
}
expect 'what CUDA misses' 'the library libcuda.so.1 is missing' "$(sed -n 's/^  cuda *does not work: //p' <<< "$said")"
expect 'exit code where a GPU is required' 1 "$code"
expect 'user' 1000 "$(image_tool run --isolation chroot "$built" -- id -u)"

cat <<'END'

Proved: the image is built by every line of docker/Dockerfile.cuda, and the CUDA provider in it misses the driver alone.
Not proved here: that it computes (there is no GPU), and the Python image of Docker Hub.
END
