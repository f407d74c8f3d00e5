#!/usr/bin/env bash
# The one door for checks.
#
#   scripts/test.sh                quick tier, for every change
#   scripts/test.sh -full          everything; writes docs/test-report.md
#   scripts/test.sh -only race,lint
#   scripts/test.sh -list
#
# Each stage prints a line when it begins and one when it ends; its output is kept
# in _build/test/STAGE.log and shown if it fails. All stages run even if one fails,
# and no test is tried twice. Exit code 0 means that every stage passed, 1 that one
# did not, 2 wrong usage.
#
# MOQT_VECTORS  directory of the wire's test vectors; set but absent is a failure
# FUZZTIME      time for each fuzz target (3s; with -full 30s)
set -uo pipefail
cd "$(dirname "$0")/.."

full=false
only=
quick_stages="vectors format modules build vet vet386 lint race fuzz e2e"
full_stages="vectors format modules build vet vet386 lint race again fuzz e2e bench soak"

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; }
while [ $# -gt 0 ]; do
  case $1 in
    -full | --full) full=true ;;
    -only | --only) shift; only=${1:-} ;;
    -list | --list) echo "$full_stages" | tr ' ' '\n'; exit 0 ;;
    -h | -help | --help) usage; exit 0 ;;
    *) echo "test.sh: unknown argument $1; scripts/test.sh -help explains." >&2; exit 2 ;;
  esac
  shift
done
stages=$quick_stages
export TIER=quick # for scripts that do more in the full tier
$full && stages=$full_stages TIER=full
if [ -n "$only" ]; then
  stages=${only//,/ }
  for s in $stages; do
    case " $full_stages " in
      *" $s "*) ;;
      *) echo "test.sh: there is no stage $s; scripts/test.sh -list names them." >&2; exit 2 ;;
    esac
  done
fi

logs=$PWD/_build/test
mkdir -p "$logs"
: "${FUZZTIME:=$($full && echo 30s || echo 3s)}"
export GOTOOLCHAIN=local

# own_files lists the project's files of a kind, whether committed yet or not.
own_files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done; }

# need installs a Debian package if its command is missing, for scripts that ask
# for it with a line "# needs: command=package ...".
need() {
  local command=${1%%=*} package=${1#*=}
  command -v "$command" > /dev/null && return 0
  echo "installing $package for $command"
  local apt="apt-get -q -o DPkg::Lock::Timeout=300"
  # A fresh machine has no lists of packages, or such that have gone.
  { $apt install -y --no-install-recommends "$package" || { $apt update && $apt install -y --no-install-recommends "$package"; }; } \
    > "$logs/install-$package.log" 2>&1 && command -v "$command" > /dev/null && return 0
  tail -n 5 "$logs/install-$package.log"
  echo "$command is missing and $package could not be installed"
  return 1
}

# run_scripts runs every script of a directory, each with the binaries in its PATH
# and a directory of its own, and at most the given seconds long.
run_scripts() {
  local dir=$1 limit=$2 script name code n=0 bad=0 began
  for script in "$dir"/*.sh; do
    [ -f "$script" ] || continue
    n=$((n + 1))
    name=$(basename "$script" .sh)
    began=$SECONDS
    code=0
    for want in $(sed -n 's/^# needs: //p' "$script"); do need "$want" || code=1; done
    if [ "$code" = 0 ]; then
      scratch=$(mktemp -d)
      (export PATH="$PWD/_build/bin:$PATH" SCRATCH="$scratch"; timeout -k 5 "$limit" bash "$script") > "$logs/$name.out" 2>&1 || code=$?
      rm -rf "$scratch"
    fi
    if [ "$code" = 0 ]; then
      echo "  ok   $name $((SECONDS - began))s"
    else
      bad=$((bad + 1))
      echo "  FAIL $name $((SECONDS - began))s, exit code $code"
      [ "$code" = 124 ] && echo "       it did not end within ${limit}s"
      tail -n 40 "$logs/$name.out" 2> /dev/null | cut -c -240 | sed 's/^/       /'
    fi
  done
  echo "$n scripts, $bad failed"
  [ "$bad" = 0 ]
}

stage_vectors() {
  if [ -z "${MOQT_VECTORS:-}" ]; then
    echo "MOQT_VECTORS is not set: the tests that need it are skipped, as scripts/skips.txt says."
  elif [ -d "$MOQT_VECTORS" ] && [ -n "$(ls -A "$MOQT_VECTORS")" ]; then
    echo "$(find "$MOQT_VECTORS" -type f | wc -l) files of vectors"
  else
    echo "MOQT_VECTORS is set, but there is nothing at that place."
    return 1
  fi
}

stage_format() {
  local files
  files=$(own_files '*.go' | xargs -r gofmt -l)
  [ -z "$files" ] && return 0
  echo "gofmt would change:"
  echo "$files"
  return 1
}

stage_modules() {
  go mod verify && go mod tidy -diff || return 1
  # The commit must be what was tested: a change of these files by the go command
  # would go unnoticed.
  git diff --quiet HEAD -- go.mod go.sum 2> /dev/null || echo "note: go.mod or go.sum is not committed"
}

stage_build() { go build ./... && ./build.sh; }
stage_vet() { go vet ./...; }
stage_vet386() { GOARCH=386 go vet ./...; }
stage_lint() { go tool -modfile=tools/go.mod golangci-lint run; }

race() {
  local events=$logs/$1.json
  shift
  go test -race -shuffle=on -timeout 10m -json "$@" ./... 2>&1 | tee "$events" |
    "$logs/report" -skips scripts/skips.txt -summary "$logs/tests.md"
}
stage_race() { need ffmpeg=ffmpeg && go build -o "$logs/report" ./scripts/report && race race -count=1; }
stage_again() { need ffmpeg=ffmpeg && go build -o "$logs/report" ./scripts/report && race again -count=3; }

stage_fuzz() {
  local file target dir out n=0 bad=0
  while IFS=: read -r file target; do
    n=$((n + 1))
    dir=./$(dirname "$file")
    out=$logs/$target.out
    # Before Go 1.27 the go command at times reports its own end of time as a
    # failure (golang/go issue 75804); that is told from a finding by there being no failing input.
    if go test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" "$dir" > "$out" 2>&1 ||
      { grep -q '^ *context deadline exceeded$' "$out" && ! grep -q 'Failing input\|panic\|_test.go:' "$out"; }; then
      echo "  ok   $dir $target $(sed -n 's/.*execs: \([0-9]*\).*/\1 executions/p' "$out" | tail -n 1)"
    else
      bad=$((bad + 1))
      echo "  FAIL $dir $target"
      sed 's/^/       /' "$out"
    fi
  done < <(own_files '*_test.go' | xargs -r grep -o -H '^func Fuzz[A-Za-z0-9_]*' | sed 's/:func /:/')
  echo "$n fuzz targets, $FUZZTIME each, $bad failed"
  [ "$bad" = 0 ]
}

stage_e2e() { run_scripts scripts/e2e 180; }
stage_soak() { run_scripts scripts/soak 900; }
stage_bench() { go test -run '^$' -bench . -benchmem -count=1 -timeout 60m ./...; }

describe() {
  case $1 in
    vectors) echo "test vectors are there" ;;
    format) echo "gofmt" ;;
    modules) echo "go mod verify, tidy" ;;
    build) echo "all commands into _build/bin" ;;
    vet) echo "go vet" ;;
    vet386) echo "go vet for 32 bits" ;;
    lint) echo "golangci-lint" ;;
    race) echo "all tests, race detector, shuffled" ;;
    again) echo "all tests, three times" ;;
    fuzz) echo "every fuzz target, $FUZZTIME" ;;
    e2e) echo "end to end, real processes" ;;
    bench) echo "benchmarks" ;;
    soak) echo "long runs" ;;
  esac
}

table=
failed=
started=$SECONDS
for s in $stages; do
  printf '── %-8s %s\n' "$s" "$(describe "$s")"
  began=$SECONDS
  case $s in
    race | again | fuzz | e2e | soak) "stage_$s" 2>&1 | tee "$logs/$s.log"; code=${PIPESTATUS[0]} ;;
    *) "stage_$s" > "$logs/$s.log" 2>&1; code=$? ;;
  esac
  took=$((SECONDS - began))
  if [ "$code" = 0 ]; then
    verdict=ok
  else
    verdict=FAIL
    failed="$failed $s"
    case $s in race | again | fuzz | e2e | soak) ;; *) tail -n 100 "$logs/$s.log" ;; esac
  fi
  printf '   %-8s %-4s %ss\n' "$s" "$verdict" "$took"
  table+=$(printf '| %s | %s | %s | %s |' "$s" "$(describe "$s")" "$verdict" "$took")$'\n'
done
total=$((SECONDS - started))

printf '\n%s' "$table" | awk -F' *[|] *' 'NF > 4 { printf "  %-8s %-38s %-4s %5ss\n", $2, $3, $4, $5 }'
if [ -n "$failed" ]; then echo "FAILED:$failed (${total}s)"; else echo "All stages passed (${total}s)."; fi

if $full && [ -z "$only" ]; then
  # Asked before the report itself is a change.
  changes=$(git diff --quiet HEAD || echo ", with changes")
  {
    echo "# Last full run"
    echo
    echo "Written by \`scripts/test.sh -full\`; not edited by hand."
    echo
    echo "- Date: $(date -u +%Y-%m-%dT%H:%MZ)"
    echo "- Commit: $(git rev-parse --short HEAD)$changes"
    echo "- Machine: $(go version | cut -d' ' -f3,4), $(nproc) x $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
    echo "- Vectors: $([ -n "${MOQT_VECTORS:-}" ] && echo "yes" || echo "no")"
    echo "- Result: $([ -n "$failed" ] && echo "FAILED:$failed" || echo "all stages passed") in ${total} s"
    echo
    echo "| stage | what | result | seconds |"
    echo "|---|---|---|---|"
    printf '%s' "$table"
    echo
    echo "## Tests"
    echo
    cat "$logs/tests.md" 2> /dev/null
    echo
    echo "## Fuzzing"
    echo
    sed -n 's/^  \(ok\|FAIL\) */- \1 /p;$s/^/\n/p' "$logs/fuzz.log" 2> /dev/null
    echo
    echo "## Benchmarks"
    echo
    echo '```'
    grep -E '^(pkg|Benchmark)' "$logs/bench.log" 2> /dev/null
    echo '```'
  } > docs/test-report.md
  echo "Wrote docs/test-report.md."
fi
[ -z "$failed" ]
