# What the scripts of this directory have in common: programs in the background,
# waiting with a deadline, and a look at what they left. Sourced, not run.
#
# Each script runs from the root of the project, with the binaries in its PATH and
# a directory of its own in SCRATCH.
set -uo pipefail

: "${SCRATCH:?the directory of the run; scripts/test.sh -only e2e makes one}"
# The development certificate is made afresh, sockets are where nobody else's are,
# and nobody's settings matter.
export XDG_CONFIG_HOME="$SCRATCH/config" XDG_RUNTIME_DIR="$SCRATCH/run" TZ=UTC
unset "${!MOQ_@}" "${!MOQT_@}"

declare -A pid # of the programs that were launched, by name

# say is for the log that is shown when a script fails.
say() { printf '%(%H:%M:%S)T %s\n' -1 "$*"; }

# fail ends the script. What the programs said last is shown by leave.
fail() {
  say "FAIL: $*"
  exit 1
}

# leave ends what still runs, the stopped ones too, and shows the end of what the
# programs said if the script failed.
leave() {
  local code=$? name
  # shellcheck disable=SC2046 # one word per process; those that ended are not among them
  kill -KILL $(jobs -p) 2> /dev/null
  wait 2> /dev/null
  if [ "$code" != 0 ]; then
    for name in "${!pid[@]}"; do
      echo "--- $name, standard error:"
      tail -n 8 "$SCRATCH/$name.err" | cut -c -200
      echo "--- $name, standard output:"
      tail -n 4 "$SCRATCH/$name.out" | cut -c -200
    done
  fi
  exit "$code"
}
trap leave EXIT

# launch NAME COMMAND... starts a program. Output of an earlier one of that name is kept.
launch() {
  local name=$1
  shift
  touch "$SCRATCH/$name.out" "$SCRATCH/$name.err"
  "$@" >> "$SCRATCH/$name.out" 2>> "$SCRATCH/$name.err" < /dev/null &
  pid[$name]=$!
}

# await SECONDS WHAT COMMAND... repeats the command until it succeeds, and fails
# the script after that time.
await() {
  local limit=$1 what=$2 began=$EPOCHREALTIME
  shift 2
  until "$@"; do
    if [ $((${EPOCHREALTIME/./} - ${began/./})) -gt $((limit * 1000000)) ]; then
      fail "$what: not within ${limit}s"
    fi
    sleep 0.05
  done
}

running() { kill -0 "${pid[$1]}" 2> /dev/null; }
ended() { ! running "$1"; }

# lines NAME N succeeds when the program has printed that many lines.
lines() { [ "$(wc -l < "$SCRATCH/$1.out")" -ge "$2" ]; }
count() { wc -l < "$SCRATCH/$1.out"; }

# more NAME N waits until the program has printed N more lines than now.
more() { await "${3:-15}" "$1 prints $2 more lines" lines "$1" $(($(count "$1") + $2)); }

# heard NAME WHAT is how often a program has said that so far, and hears NAME WHAT N
# succeeds when it is at least N times.
heard() { grep -c -- "$2" "$SCRATCH/$1.err"; }
hears() { [ "$(heard "$1" "$2")" -ge "$3" ]; }

said() { grep -q -- "$2" "$SCRATCH/$1.err" || ended "$1"; }

# ready NAME waits until a server serves and sets url to its address.
ready() {
  await 10 "$1 is ready" said "$1" ' is ready: '
  url=$(sed -n 's/.* is ready: \([^ ,]*\).*/\1/p' "$SCRATCH/$1.err" | tail -n 1)
  [ -n "$url" ] || fail "$1 does not serve"
  port=${url##*:}
  port=${port%%/*}
}

# finish NAME CODE SECONDS waits for the end of a program and checks its exit code.
finish() {
  local code=0
  await "$3" "$1 ends" ended "$1"
  wait "${pid[$1]}" || code=$?
  [ "$code" = "$2" ] || fail "$1 ended with code $code, not $2"
  unset "pid[$1]"
}

# strike NAME kills a program without warning.
strike() {
  kill -KILL "${pid[$1]}"
  wait "${pid[$1]}" 2> /dev/null
  unset "pid[$1]"
}

# contiguous NAME checks the output of a viewer of the date: the minute, its
# seconds from 0, the next minute, and so on; nothing missing, doubled or torn.
contiguous() {
  awk '
    /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:$/ {
      if (NR > 1 && want != 60) { print "line " NR ": a new minute after second " want - 1; bad = 1; exit }
      want = 0; next
    }
    NR == 1 { print "the first line is not a minute: " $0; bad = 1; exit }
    $0 != want "" || want == 60 { print "line " NR ": " $0 " instead of " (want == 60 ? "a minute" : want); bad = 1; exit }
    { want++ }
    END { exit bad || NR == 0 }
  ' "$SCRATCH/$1.out" || fail "$1: its output is not contiguous"
}

number=0
# refused CODE PATTERN COMMAND... runs a command that must end with the code, one
# sentence on standard error that matches, and nothing on standard output.
# Lines of the log, which begin with the time, are not sentences.
refused() {
  local want=$1 pattern=$2 name=run$((++number)) said
  shift 2
  launch "$name" "$@"
  await 20 "'$*' gives up" ended "$name"
  finish "$name" "$want" 1
  said=$(grep -v '^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]' "$SCRATCH/$name.err")
  [ "$(wc -l <<< "$said")" = 1 ] && [ -n "$said" ] || fail "'$*' does not say one sentence: $said"
  [[ $said == "$1: "* && $said == *. ]] || fail "'$*' does not say a sentence of its own: $said"
  grep -q -i -E -- "$pattern" <<< "$said" || fail "'$*' says '$said', which does not match '$pattern'"
  [ ! -s "$SCRATCH/$name.out" ] || fail "'$*' writes to standard output"
  say "$want: $said"
}
