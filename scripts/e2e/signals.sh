# SIGINT and SIGTERM end every program in good order with code 0, alone or in use;
# the relay sends its peers away with GOAWAY first; a second signal ends it at
# once with code 1.
. "$(dirname "$0")/stage.bash"

# cast starts a relay, a publisher and a viewer that sees lines.
cast_number=0
cast() {
  cast_number=$((cast_number + 1))
  relay=relay$cast_number publisher=publisher$cast_number viewer=viewer$cast_number
  launch "$relay" moqrelayserver -port 0 "$@"
  ready "$relay"
  launch "$publisher" moqdateserver -port 0 -utc -relay_url "$url"
  launch "$viewer" moqtextclient -rendezvous_timeout 5000 -connect_url "$url" -track_namespace moq-date -track_name date
  more "$viewer" 2
}

# quiet NAME fails if the program ended with a complaint.
quiet() { ! grep -n 'panic\|goroutine \|DATA RACE' "$SCRATCH/$1.err" || fail "$1 did not end in good order"; }

for signal in INT TERM; do
  cast
  for name in "$viewer" "$publisher" "$relay"; do
    running "$name" || fail "$name ended by itself"
    kill "-$signal" "${pid[$name]}"
    finish "$name" 0 10
    quiet "$name"
  done
  contiguous "$viewer"
  say "SIG$signal ends viewer, publisher and relay"

  # The other way round: each finds its peer gone and still ends when told to.
  cast -drain 1
  for name in "$relay" "$publisher" "$viewer"; do
    running "$name" || fail "$name ended by itself"
    kill "-$signal" "${pid[$name]}"
    finish "$name" 0 10
    quiet "$name"
  done
  say "SIG$signal ends relay, publisher and viewer"

  launch "idle$signal" moqrelayserver -port 0
  ready "idle$signal"
  began=${EPOCHREALTIME/./}
  kill "-$signal" "${pid[idle$signal]}"
  finish "idle$signal" 0 5
  [ $((${EPOCHREALTIME/./} - began)) -lt 1500000 ] || fail "a relay without peers waits for nobody"
done

# A relay that is told to stop asks its peers to leave. They come back to the one
# that takes its place.
cast
own_port=$port
kill -TERM "${pid[$relay]}"
for name in "$viewer" "$publisher"; do
  await 5 "$name hears GOAWAY" grep -q 'peer asks us to leave' "$SCRATCH/$name.err"
done
finish "$relay" 0 10
launch "$relay" moqrelayserver -port "$own_port"
more "$viewer" 3 30
contiguous "$viewer"
running "$publisher" || fail "the publisher left for good"
say "publisher and viewer survive the exchange of the relay"

# A peer that does not leave keeps a draining relay, until the second signal.
cast -drain 60
kill -STOP "${pid[$viewer]}"
kill -TERM "${pid[$relay]}"
await 5 "the relay drains" grep -q 'a second signal ends it at once' "$SCRATCH/$relay.err"
running "$relay" || fail "the relay did not wait for the viewer"
# Signals that come right after the first count as the same wish.
insist() { kill -TERM "${pid[$relay]}" 2> /dev/null; ended "$relay"; }
await 3 "the second signal is heeded" insist
finish "$relay" 1 1
[ "$(grep -c '^Second signal' "$SCRATCH/$relay.err")" = 1 ] || fail "the relay did not say why it ended with code 1"
say "a second signal ends a relay that drains"
