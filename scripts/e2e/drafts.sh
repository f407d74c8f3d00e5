# The date from every draft to every other through one relay: publishers of each
# draft on raw QUIC and WebTransport, in streams and in datagrams, by SUBSCRIBE and
# by PUBLISH, and for each a viewer of each draft, who comes in the middle of a
# minute and fetches its past.
. "$(dirname "$0")/stage.bash"

drafts=(18 16 14)
transports=(quic wt)
live=4 # lines that each viewer must see come

launch relay moqrelayserver -port 0
ready relay
relay=$url

# publish NAME DRAFT TRANSPORT FLAG... starts a publisher of a namespace of its own.
publish() {
  launch "$1" moqdateserver -nolisten -utc -versions "$2" -transport "$3" -ns "date/$1" -relay_url "$relay" "${@:4}"
}
publishers=
for from in "${drafts[@]}"; do
  publish "$from-streams" "$from" quic -mode spg
  publish "$from-datagrams" "$from" wt -mode datagram -publish
  publishers+=" $from-streams $from-datagrams"
done
announced() { [ "$(($(heard relay 'namespace published') + $(heard relay 'track published')))" -ge 6 ]; }
await 15 "every publisher is there" announced

# In the first seconds of a minute there is nothing to catch up with.
middle() { [ "$((EPOCHSECONDS % 60))" -ge 4 ]; }
await 5 "the middle of a minute" middle

turn=0
viewers=
for p in $publishers; do
  for to in "${drafts[@]}"; do
    launch "$p-to-$to" moqtextclient -retry -count $((EPOCHSECONDS % 60 + 2 + live)) -versions "$to" \
      -transport "${transports[turn++ % 2]}" -connect_url "$relay" -track_namespace "date/$p" -track_name date
    viewers+=" $p-to-$to"
  done
done
for v in $viewers; do
  finish "$v" 0 90
  contiguous "$v"
  say "$v: $(count "$v") lines"
done

# Each spoke what it was told to: two publishers and six viewers of each draft.
for d in "${drafts[@]}"; do
  n=$(heard relay "draft=$d")
  [ "$n" = 8 ] || fail "$n sessions of draft $d, not 8"
done
for t in "${transports[@]}"; do
  n=$(heard relay "transport=$t")
  [ "$n" = 12 ] || fail "$n sessions over $t, not 12"
done
