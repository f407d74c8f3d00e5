# Publisher and relay are killed without warning and started again: the viewers go
# on, with no line missing, doubled or out of order.
. "$(dirname "$0")/stage.bash"

launch relay moqrelayserver -port 0
ready relay
publisher() { launch publisher moqdateserver -nolisten -utc -retry -relay_url "$url" "$@"; }
publisher
viewers="first second"
for v in $viewers; do
  launch "$v" moqtextclient -rendezvous_timeout 5000 -connect_url "$url" -track_namespace moq-date -track_name date
done
for v in $viewers; do more "$v" 2; done

# go_on waits until every viewer has what the clock shows, and two lines more.
go_on() {
  local v
  for v in $viewers; do
    await 40 "$v goes on after $1" current "$v"
    more "$v" 2
    running "$v" || fail "$v has ended"
    contiguous "$v"
  done
  say "after $1: $(for v in $viewers; do count "$v"; done | paste -sd ' ') lines"
}
current() {
  local last behind
  last=$(tail -n 1 "$SCRATCH/$1.out")
  case $last in *:) last=0 ;; esac
  behind=$(((EPOCHSECONDS % 60 - last + 60) % 60))
  [ "$behind" -le 1 ]
}

# The relay still believes in the old session of the publisher.
strike publisher
publisher
go_on "the publisher's quick restart"

# The relay has noticed.
ended=$(heard relay 'session ended')
strike publisher
await 20 "the relay notices that the publisher is gone" hears relay 'session ended' $((ended + 1))
publisher
go_on "the publisher's slow restart"

own_port=$port
strike relay
launch relay moqrelayserver -port "$own_port"
go_on "the relay's quick restart"

# Both at once, and the relay stays away until the viewers have noticed.
declare -A noticed
for v in $viewers; do noticed[$v]=$(heard "$v" WARN); done
strike publisher
strike relay
for v in $viewers; do
  await 20 "$v notices that the relay is gone" hears "$v" WARN $((noticed[$v] + 1))
done
launch relay moqrelayserver -port "$own_port"
publisher -publish
go_on "the slow restart of both"
