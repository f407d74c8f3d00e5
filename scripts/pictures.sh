#!/usr/bin/env bash
# Makes the pictures of the dashboard in docs/pictures, which README.md shows: the
# relay runs in a terminal that is a page in Chromium, with something to see.
#
#   scripts/pictures.sh [DIRECTORY]
#
# It needs what build.sh makes, ffmpeg, Chromium, Node, and a free port 9668.
set -euo pipefail
cd "$(dirname "$0")/.."
pictures=${1:-docs/pictures}
scratch=$(mktemp -d)
# A certificate of its own, an admin socket where nobody else's is, and nobody's settings.
export XDG_CONFIG_HOME="$scratch/config" XDG_RUNTIME_DIR="$scratch/run" TZ=UTC
mkdir -p "$pictures" "$XDG_CONFIG_HOME"
mkdir -m 700 "$XDG_RUNTIME_DIR"
unset "${!MOQ_@}"
url=moqt://localhost:9668/moq-relay
web=https://localhost:9668/moq-relay
bin=_build/bin

leave() {
  local code=$?
  # shellcheck disable=SC2046 # one word per process
  kill $(jobs -p) 2> /dev/null || true
  wait 2> /dev/null || true
  [ "$code" = 0 ] || tail -n 5 "$scratch"/*.err 2> /dev/null || true
  rm -rf "$scratch"
  exit "$code"
}
trap leave EXIT

# start NAME COMMAND... runs a program in the background.
start() {
  local name=$1
  shift
  "$@" > "$scratch/$name.out" 2> "$scratch/$name.err" < /dev/null &
}

if ! cmp -s scripts/browser/package-lock.json scripts/browser/node_modules/.installed; then
  (cd scripts/browser && npm ci --ignore-scripts --no-audit --no-fund)
  cp scripts/browser/package-lock.json scripts/browser/node_modules/.installed
fi

# A picture that changes much, then little, so that the rates go up and down.
ffmpeg -v error -f lavfi -i mandelbrot=size=640x360:rate=30:maxiter=500 -f lavfi -i anoisesrc=amplitude=0.1:sample_rate=48000 -t 12 \
  -c:v libx264 -preset ultrafast -g 30 -crf 32 -pix_fmt yuv420p -c:a aac -b:a 96k "$scratch/clip.flv" < /dev/null

# The first picture is taken when there is a while to look back on. The track with
# the highest rate is on top.
steps="/moq-date/ /live/ 40 key:up key:up key:up key:up key:up key:up key:up 2 $pictures/tracks.png
  key:enter 5 $pictures/track.png key:esc 1 key:2 2 $pictures/sessions.png"
node scripts/browser/picture.mjs 28x110 "$steps" $bin/moqrelayserver -demo -name demo &
browser=$!

for _ in {1..100}; do
  (: < /dev/tcp/127.0.0.1/9668) 2> /dev/null && break
  sleep 0.1
done
start streamer $bin/moqflvstreamer -retry -loop -connect_url $url "$scratch/clip.flv"
start stage $bin/moqflvstreamer -retry -loop -connect_url $web -track_namespace live/stage -packaging loc "$scratch/clip.flv"
start text $bin/moqtextclient -retry -connect_url $web -track_namespace moq-date -track_name date -format json
start other $bin/moqtextclient -retry -connect_url $url -track_namespace moq-date -track_name date -format json
sleep 2
start receiver $bin/moqflvreceiver -retry -connect_url $url -flv_outpath "$scratch/received.flv"
start second $bin/moqflvreceiver -retry -connect_url $web -flv_outpath "$scratch/second.flv"
start stage-receiver $bin/moqflvreceiver -retry -connect_url $web -track_namespace live/stage -flv_outpath "$scratch/stage.flv"
wait $browser
