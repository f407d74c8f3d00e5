# What the scripts of this directory share: where things are, and what can be
# changed by the environment. Sourced, not run; bash 3.2, which macOS has, is enough.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${MEDIA_BIN:=$root/_build/bin}"    # the programs; ./build.sh puts them there
: "${MEDIA_DIR:=$PWD}"                # fifos and files
: "${MEDIA_PORT:=4433}"               # of the relay
: "${MEDIA_URL:=https://localhost:$MEDIA_PORT/moq}"
: "${MEDIA_NAMESPACE:=flvstreamer}"
: "${MEDIA_SECONDS:=300}"             # how long a live source runs

# program NAME is its path; a sentence and exit code 1 if it is not built.
program() {
  if [ -x "$MEDIA_BIN/$1" ]; then
    echo "$MEDIA_BIN/$1"
  else
    echo "$(basename "$0"): $1 is not in $MEDIA_BIN; ./build.sh makes it, MEDIA_BIN names another place." >&2
    return 1
  fi
}

# tool NAME fails with a sentence if a tool of ffmpeg is missing.
tool() {
  command -v "$1" > /dev/null && return 0
  echo "$(basename "$0"): $1 is missing; install it with \"apt install ffmpeg\" or \"brew install ffmpeg\"." >&2
  return 1
}

# fifo PATH makes a fifo unless there is one.
fifo() {
  [ -p "$1" ] && return 0
  if [ -e "$1" ]; then
    echo "$(basename "$0"): $1 is there and is no fifo; remove it or set MEDIA_DIR." >&2
    return 1
  fi
  mkfifo "$1" 2> /dev/null || [ -p "$1" ] # another script may have been faster
}

# usage prints the comment at the head of the script.
usage() { sed -n '2,/^[^#]/{/^[^#]/d;s/^# \{0,1\}//;p;}' "$0"; }
case ${1:-} in
  -h | -help | --help) usage; exit 0 ;;
esac
