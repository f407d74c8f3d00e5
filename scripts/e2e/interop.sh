# The test client of the public interop runner at a real relay: every case on every
# draft over raw QUIC and WebTransport, and what the runner expects of a client:
# TAP on standard output, names of flags and variables, exit codes.
. "$(dirname "$0")/stage.bash"
unset "${!MOQT_@}" RELAY_URL TESTCASE VERBOSE TLS_DISABLE_VERIFY

launch relay moqrelayserver -port 0
ready relay
relay=$port

# results NAME reads the TAP of a run, strictly, and sets got to the names of the
# cases that passed, failed and were skipped, each behind a word for that.
results() {
  got=$(awk '
    function wrong(why) { print "line " NR ": " why ": " $0 > "/dev/stderr"; bad = 1; exit }
    NR == 1 { if ($0 != "TAP version 14") wrong("no version"); next }
    ended { wrong("behind the end") }
    block && $0 == "  ..." { block = 0; next }
    block { if ($0 !~ /^  ( *)[a-z_]+:( ("([^"\\]|\\.)*"|[0-9]+))?$/) wrong("no line of a block"); next }
    $0 == "  ---" { if (!point) wrong("a block without a point"); block = 1; point = 0; next }
    { point = 0 }
    /^# / { next }
    /^1\.\.[0-9]+$/ { if (plan != "") wrong("a second plan"); plan = substr($0, 4) + 0; next }
    /^Bail out! ./ { ended = 1; print "ended"; next }
    /^(not )?ok [0-9]+ - [a-z-]+( # SKIP .+)?$/ {
      word = "passed"; number = $2; name = $4
      if ($1 == "not") { word = "failed"; number = $3; name = $5 }
      if ($0 ~ / # SKIP /) word = "skipped"
      if (plan == "" || number != ++n || n > plan) wrong("no such point in the plan")
      point = 1
      print word, name
      next
    }
    { wrong("no line of TAP") }
    END { if (!bad && (block || !ended && n != plan)) { print n + 0 " points of " plan > "/dev/stderr"; bad = 1 } exit bad }
  ' "$SCRATCH/$1.out") || fail "$1 does not write TAP"
}

# wants NAME RESULTS checks what came of a run.
wants() {
  results "$1"
  [ "${got//$'\n'/ }" = "$2" ] || fail "$1: $got"
}

# run NAME CODE ARGUMENT... runs the client, which must end with the code.
run() {
  launch "$1" moqinterop "${@:3}"
  finish "$1" "$2" 120
}

# The list is what the cases are run from.
run list 0 --list
cases=$(cat "$SCRATCH/list.out")
[ "$(sed -n '1p;$=' <<< "$cases" | tr '\n' ' ')" = "setup-only $(wc -l <<< "$cases") " ] || fail "the list is: $cases"

# Every draft that is spoken, over both transports.
run drafts 127 -versions 0
drafts=$(sed -n 's/.* use \([0-9,]*\)\.$/\1/p' "$SCRATCH/drafts.err")
[ -n "$drafts" ] || fail "it does not say which drafts it speaks"
for draft in ${drafts//,/ }; do
  for scheme in moqt https; do
    name=$scheme-$draft
    run "$name" 0 -r "$scheme://localhost:$relay" -versions "$draft"
    results "$name"
    diff <(awk '{print $2}' <<< "$got") <(echo "$cases") > "$SCRATCH/$name.diff" || fail "$name: not all cases: $(cat "$SCRATCH/$name.diff")"
    ! grep -v -E '^(passed|skipped) ' <<< "$got" || fail "$name: not all cases passed"
    grep -q "^# Relay: $scheme://localhost:$relay\$" "$SCRATCH/$name.out" && grep -q "^# Draft: draft-$draft\$" "$SCRATCH/$name.out" ||
      fail "$name: another relay or draft: $(grep '^#' "$SCRATCH/$name.out")"
    # A case is left out only for what the draft does not have.
    ! grep '# SKIP' "$SCRATCH/$name.out" | grep -v '# SKIP this draft has no RENDEZVOUS_TIMEOUT$' || fail "$name: skipped for another reason"
    say "$name: $(grep -c '^passed' <<< "$got") passed, $(grep -c '^skipped' <<< "$got") skipped"
  done
done
newest=${drafts%%,*}
! grep -q '# SKIP' "$SCRATCH/moqt-$newest.out" || fail "on draft $newest nothing may be skipped"

# As a container: by variables alone, without knowing the certificate.
container() {
  local name=$1 code=$2
  shift 2
  launch "$name" env XDG_CONFIG_HOME="$SCRATCH/elsewhere" "$@" moqinterop
  finish "$name" "$code" 120
}
container distrustful 1 RELAY_URL="https://localhost:$relay" TESTCASE=setup-only
wants distrustful ended
container trusting 0 RELAY_URL="https://localhost:$relay" TESTCASE=announce-subscribe TLS_DISABLE_VERIFY=1 VERBOSE=1 MOQT_DRAFT="draft-$newest"
wants trusting "passed announce-subscribe"
hears trusting 'subscriber reads SUBSCRIBE_OK' 1 || fail "VERBOSE=1 tells nothing"
grep -q '^  publisher_connection_id: "[0-9a-f]*"$' "$SCRATCH/trusting.out" || fail "no connection ID of the publisher"
container unable 127 RELAY_URL="https://localhost:$relay" TESTCASE=no-such-case
container unspoken 127 RELAY_URL="https://localhost:$relay" MOQT_DRAFT=draft-7

# What is no relay fails, and says in which case and why.
launch date moqdateserver -port 0
ready date
run wrong 1 -r "$url" -t setup-only,announce-only -t subscribe-error
wants wrong "passed setup-only failed announce-only passed subscribe-error"
grep -q '^  received: "REQUEST_ERROR with ' "$SCRATCH/wrong.out" || fail "it does not say what came"

# Nobody is there: no results, whether at once or after waiting.
strike relay
run gone 1 -r "moqt://localhost:$relay" -timeout 300
wants gone ended
launch waiting moqinterop -r "moqt://localhost:$relay" -timeout 300 -retry -t setup-only
launch relay moqrelayserver -port "$relay"
finish waiting 0 60
wants waiting "passed setup-only"
strike relay
launch stopped moqinterop -r "moqt://localhost:$relay" -timeout 300 -retry
begun() { [ -s "$SCRATCH/stopped.out" ]; }
await 10 "the run begins" begun
kill -TERM "${pid[stopped]}"
finish stopped 1 10
wants stopped ended
