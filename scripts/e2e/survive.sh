# Three viewers of one track. One is killed, one stops for longer than its session
# lives: the third notices nothing, and the stopped one makes up for what it missed.
. "$(dirname "$0")/stage.bash"

pause=10 # seconds; a session that says nothing is dead after six

launch relay moqrelayserver -port 0
ready relay
launch publisher moqdateserver -nolisten -utc -relay_url "$url"
for v in killed stopped steady; do
  launch "$v" moqtextclient -rendezvous_timeout 5000 -connect_url "$url" -track_namespace moq-date -track_name date
done
for v in killed stopped steady; do more "$v" 2; done

strike killed
kill -STOP "${pid[stopped]}"
say "one viewer killed, one stopped"
from=$(count steady)
more steady "$pause" $((pause + 3))
kill -CONT "${pid[stopped]}"
say "and continued; the steady one has $(($(count steady) - from)) lines more"
caught_up() { [ "$(tail -n 1 "$SCRATCH/stopped.out")" = "$(tail -n 1 "$SCRATCH/steady.out")" ]; }
await 15 "the stopped viewer catches up" caught_up
more stopped 3
more steady 1
contiguous steady
contiguous stopped
contiguous killed

# The steady viewer has kept one session all the time.
grep -q -i 'lost\|again\|reconnect' "$SCRATCH/steady.err" && fail "the steady viewer was disturbed: $(tail -n 3 "$SCRATCH/steady.err")"
say "killed: $(count killed) lines, stopped: $(count stopped), steady: $(count steady)"
