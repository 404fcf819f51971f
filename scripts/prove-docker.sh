#!/usr/bin/env bash
# Builds docker/Dockerfile without a container engine or a registry and runs what came out of it the way
# docker/compose.yaml does: other user, read-only root, no capabilities, loopback only.
#
#     sudo scripts/prove-docker.sh [folder for the work, default: a new one below /tmp]
#
# Needs root, Debian's buildah, debootstrap and runc, npm, and node_modules of this checkout (for its Node.js). The base
# image of the Dockerfile is replaced by one of debootstrap's: the same Debian, the same Node.js, the user `node`.
# Everything else is the Dockerfile's: it is read by buildah, and user, entry, health check and volume by runc from the
# image that came out. What is different from Docker is printed at the end.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-$(mktemp -d /tmp/fhirsight-docker.XXXXXX)}
mkdir -p "$work"
node_binary=$(readlink -f "$root/node_modules/node/bin/node")
npm_folder=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
port=18080
container=fhirsight-proof-$$

image_tool() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
step() { printf '\n== %s\n' "$*"; }

step "base image: Debian by debootstrap, Node.js $("$node_binary" --version)"
wanted=$(sed -n 's/^ARG NODE_IMAGE=node:\([0-9.]*\)-bookworm-slim$/\1/p' "$root/docker/Dockerfile")
[ "v$wanted" = "$("$node_binary" --version)" ] || { echo "docker/Dockerfile names Node.js $wanted" >&2; exit 1; }
if [ ! -e "$work/base.done" ]; then
  debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" > "$work/debootstrap.log"
  install -m 0755 "$node_binary" "$work/base/usr/local/bin/node"
  mkdir -p "$work/base/usr/local/lib/node_modules"
  cp -a "$npm_folder" "$work/base/usr/local/lib/node_modules/npm"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$work/base/usr/local/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$work/base/usr/local/bin/npx"
  chroot "$work/base" groupadd --gid 1000 node
  chroot "$work/base" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
  # The registry may stand behind certificates that only this machine trusts.
  cp -L /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/certs/ca-certificates.crt"
  touch "$work/base.done"
fi
base=$(image_tool from scratch)
image_tool copy --quiet "$base" "$work/base" /
image_tool config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$base"
image_tool commit --quiet --rm "$base" localhost/node-base > /dev/null

step 'image: every line of docker/Dockerfile, by buildah'
image_tool bud --isolation chroot --format docker --build-arg NODE_IMAGE=localhost/node-base \
  --file "$root/docker/Dockerfile" --ignorefile "$root/.dockerignore" --tag localhost/fhirsight "$root"
image_tool inspect --type image localhost/fhirsight > "$work/image.json"
built=$(image_tool from localhost/fhirsight)
rootfs=$(image_tool mount "$built")
du -sh "$rootfs" | cut -f1 | sed 's/^/size with its base: /'

step 'container: by runc, as the image and docker/compose.yaml say'
rm -rf "$work/data" && install -d -o 1000 -g 1000 -m 0700 "$work/data"
"$node_binary" "$root/scripts/docker-runtime-config.ts" "$work/image.json" "$rootfs" "$work/data" "$port" > "$work/config.json"
mkdir -p "$work/runtime"
runtime() { runc --root "$work/runtime" "$@"; }
end() {
  runtime delete --force "$container" 2> /dev/null || true
  image_tool umount "$built" > /dev/null || true
  image_tool rm "$built" > /dev/null || true
}
trap end EXIT
runtime run --bundle "$work" "$container" > "$work/server.log" 2>&1 &
server=$!

url=http://127.0.0.1:$port
healthcheck() { "$node_binary" "$root/scripts/docker-runtime-config.ts" --healthcheck "$work/image.json"; }
mapfile -d '' -t health < <(healthcheck)
for ((i = 0; ; i++)); do
  if runtime exec --env "PORT=$port" "$container" "${health[@]}" 2> /dev/null; then break; fi
  if ! kill -0 "$server" 2> /dev/null || ((i > 120)); then cat "$work/server.log"; echo 'never healthy' >&2; exit 1; fi
  sleep 1
done
echo 'the HEALTHCHECK of the image succeeds'

expect() { # what it is, what must come, what came
  if [ "$2" = "$3" ]; then printf 'ok    %s: %s\n' "$1" "$3"; else printf 'FAIL  %s: %s, not %s\n' "$1" "$3" "$2"; exit 1; fi
}
inside() { runtime exec "$container" "$@"; }
status() { curl -s -o "$work/answer.json" -w '%{http_code}' "$@"; }
expect '/health/ready' 200 "$(status "$url/health/ready")"
asked='{"resourceType":"Parameters","parameter":[{"name":"model","valueString":"prevent-base"}]}'
predict="$url/fhir/R4/Patient/sample-0001/\$predict"
expect '$predict' 200 "$(status -H 'Content-Type: application/fhir+json' -d "$asked" "$predict")"
expect 'the answer' RiskAssessment "$(sed -n 's/.*"resourceType":"\([A-Za-z]*\)".*/\1/p' "$work/answer.json" | head -1)"
expect 'user' 1000 "$(inside id -u)"
expect 'writing to the root file system' refused "$(inside touch /app/x 2> /dev/null && echo possible || echo refused)"
expect 'writing to /tmp' possible "$(inside touch /tmp/x && echo possible || echo refused)"
expect 'capabilities' 0000000000000000 "$(inside sed -n 's/^CapEff:\t//p' /proc/1/status)"
expect 'new privileges' 1 "$(inside sed -n 's/^NoNewPrivs:\t//p' /proc/1/status)"
expect 'development dependencies' absent "$(inside test -e node_modules/typescript && echo present || echo absent)"
expect 'listening beyond loopback' refused "$(inside env HOST=0.0.0.0 DATA_DIR=/tmp/other node bin/fhirsight.js serve > /dev/null 2>&1 && echo possible || echo refused)"
runtime kill "$container" SIGTERM
code=0; wait "$server" || code=$?
expect 'exit code after SIGTERM' 0 "$code"

cat <<'END'

Proved: the image is built by every line of docker/Dockerfile and runs as docker/compose.yaml says.
Not proved here: the base image of Docker Hub (this one is Debian by debootstrap with the same Node.js), Docker's own
reading of docker/compose.yaml, and the images of PostgreSQL and HAPI FHIR that it names.
END
