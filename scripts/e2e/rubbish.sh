# A hostile peer sends rubbish of every kind, in every state, three times over, and
# dies in the middle of it. The relay answers with codes of the protocol, stays
# up, serves the date meanwhile and afterwards, and lets go of everything.
# Duties: 2.
. "$(dirname "$0")/stage.bash"

rounds=3
# Memory may differ by this much between the first round and the last, and this
# many goroutines may be left for a viewer, a publisher and the relay itself.
max_growth_kib=49152
max_goroutines=80

go build -o "$SCRATCH/rubbish" ./internal/testkit/rubbish || fail "rubbish does not build"

# With little garbage allowed, the memory of the process is near what it holds.
GOGC=20 launch relay moqrelayserver -port 0 -demo -cache 8
ready relay
view() { launch "$1" moqtextclient -connect_url "$url" -track_namespace moq-date -track_name date; }
view viewer
more viewer 2

resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${pid[relay]}/status"; }
sessions() { heard relay ' INFO session session='; }
over() { heard relay ' INFO session ended session='; }
# One session is that of the demonstration, one that of the viewer.
settled() { [ $(($(sessions) - $(over))) -le 2 ]; }

for round in $(seq "$rounds"); do
  seed=$((EPOCHSECONDS + round))
  launch "round$round" "$SCRATCH/rubbish" -url "$url" -seed "$seed"
  finish "round$round" 0 90
  running relay || fail "the relay did not survive round $round with seed $seed"
  await 30 "the sessions of round $round end" settled
  [ "$round" = 1 ] && first=$(resident)
  say "round $round: $(tail -n 1 "$SCRATCH/round$round.out") $(resident) KiB"
done
modest() { [ $(($(resident) - first)) -le "$max_growth_kib" ]; }
await 20 "memory goes back to $first KiB and not more than $max_growth_kib" modest

before=$(sessions)
launch torn "$SCRATCH/rubbish" -url "$url" -seed "$seed"
many() { [ "$(sessions)" -ge $((before + 20)) ]; }
await 30 "the attacks begin" many
strike torn
await 40 "the sessions of a peer that died end" settled

more viewer 2
contiguous viewer
view late
more late 2
contiguous late
grep -n 'panic\|DATA RACE\|INTERNAL_ERROR' "$SCRATCH/relay.err" | grep -v 'too long' && fail "the relay blames itself"

# The runtime lists its goroutines when it is told to quit.
kill -QUIT "${pid[relay]}"
finish relay 2 5
left=$(grep -c '^goroutine [0-9]' "$SCRATCH/relay.err")
[ "$left" -le "$max_goroutines" ] || fail "$left goroutines are left, more than $max_goroutines"
say "$left goroutines are left"
