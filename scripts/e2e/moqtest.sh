# The test protocol moq-test-00 on real sockets: cases of moxygen's suites through a
# relay on every draft over raw QUIC and WebTransport, all of both suites with
# scripts/test.sh -full; server, client and publisher as programs of their own; and
# verdicts as exit codes.
. "$(dirname "$0")/stage.bash"

# What is compared here is not how many datagrams the machine loses, so many of them
# may be lost.
drops="-datagram_drops_allowed_percentage 50"

# conforms NAME SUITE CASES FLAG... performs cases at a relay of their own, all of
# which must pass. Runs at one relay would publish each other's tracks too, and cut
# them off in the middle at their end.
conforms() {
  local name=$1 suite=$2 cases=$3
  launch "relay-$name" moqrelayserver -port 0
  ready "relay-$name"
  # shellcheck disable=SC2086 # flags
  launch "$name" moqtest conformance -relay "$url" -connect_timeout 10s -suite "$suite" -case "$cases" \
    -junit "$SCRATCH/$name.xml" $drops "${@:4}"
}
passed() {
  local wanted=$2
  finish "$1" 0 170
  [ "$(grep -c '^ok ' "$SCRATCH/$1.out")" = "$wanted" ] && ! grep -q '^not ok ' "$SCRATCH/$1.out" || fail "$1: not $wanted cases passed"
  [ "$(grep -c '<testcase ' "$SCRATCH/$1.xml")" = "$wanted" ] || fail "$1: the file of JUnit has other cases"
  say "$1: $(tail -n 1 "$SCRATCH/$1.out")"
}

drafts=18,16,14
if [ "${TIER:-quick}" = full ]; then
  for suite in 80 50; do for t in quic wt; do
    conforms "all-$suite-$t" "$suite" "$(seq -s, "$suite")" -draft "$drafts" -transport "$t" -parallel 40
  done; done
  for suite in 80 50; do for t in quic wt; do passed "all-$suite-$t" $((3 * suite)); done; done
else
  # A stream for each group, each object, two for each group; datagrams; FETCH; gaps;
  # END_OF_GROUP; PUBLISH; ranges from the cache; and on one draft a join.
  sample=1,2,3,4,7,33,37,47,58,64,65,66
  for t in quic wt; do conforms "some-$t" 80 "$sample" -draft "$drafts" -transport "$t" -parallel 12; done
  conforms join 80 73
  for t in quic wt; do passed "some-$t" 36; done
  passed join 1
fi

# The parts as programs of their own: a server behind the relay and directly, and one
# client after the other, since all share a track that is being published.
launch relay moqrelayserver -port 0
ready relay
relay=$port
launch server moqtest server -port 0 -relay_url "moqt://localhost:$relay/moq-relay" -relay_connect_timeout 10s
ready server
await 10 "the namespace is published" hears server 'namespace published' 1
for at in "$url" "https://localhost:$relay/moq-relay"; do
  for request in subscribe fetch; do
    name=$request-${at%%:*}
    launch "$name" moqtest client -url "$at" -connect_timeout 10s -request "$request" -last_group 1 -objects_per_group 3 -test_variable_extension 1
    finish "$name" 0 60
    grep -q '^SUCCESS: all of 8 objects in ' "$SCRATCH/$name.out" || fail "$name does not say that it succeeded"
  done
done

# A publisher offers a track, and sends it once somebody subscribes.
track=moq-test-00/0/0/0/1/3/3/64/32/20/1/1/0/-1/-1/0
strike server
launch offers moqtest publisher -url "moqt://localhost:$relay/moq-relay" -connect_timeout 10s -track "$track"
await 10 "the track is offered" hears relay 'track published.*0-0-0-1-3-3-64-32-20-1-1-0' 1
launch viewer moqtest client -url "moqt://localhost:$relay/moq-relay" -connect_timeout 10s -last_group 1 -objects_per_group 3 \
  -size_of_object_zero 64 -size_of_object_greater_than_zero 32 -object_frequency 20
finish viewer 0 60
finish offers 0 60

# A track that is not as it should be is a failure; so is a relay that has gone.
launch strict moqtest client -url "moqt://localhost:$relay/moq-relay" -connect_timeout 10s -strict -request publish -last_group 0 -test_integer_extension 1
finish strict 1 60
grep -q '^moqtest client: FAILURE: .*NOT_SUPPORTED.*of tracks, not of objects' "$SCRATCH/strict.err" || fail "it does not say why: $(tail -n 1 "$SCRATCH/strict.err")"
strike relay
launch gone moqtest conformance -relay "moqt://localhost:$relay" -connect_timeout 300 -case 1
finish gone 1 10
[ ! -s "$SCRATCH/gone.out" ] || grep -q '^Bail out! cannot connect' "$SCRATCH/gone.out" || fail "without a relay there are results"
