# What moqinterop says of servers: -probe what ours speaks over each carrier, -doctor
# that all is well, or what is wrong, in one sentence and with code 1. The sentences
# that need a server of its own are in the tests of internal/probe.
. "$(dirname "$0")/stage.bash"

# look CODE COMMAND... runs moqinterop; its output is in $out then.
looked=0
look() {
  local want=$1 name=look$((++looked))
  shift
  launch "$name" moqinterop "$@"
  finish "$name" "$want" 40
  out=$SCRATCH/$name.out
  ! grep -q -E 'CRYPTO_ERROR|x509:|lookup |read udp|context deadline|goroutine' "$out" "$SCRATCH/$name.err" ||
    fail "moqinterop $*: that is no sentence for users"
}

# has PATTERN... fails unless each is in the output.
has() {
  local p
  for p in "$@"; do
    grep -q -E -- "$p" "$out" || fail "no '$p' in $(cat "$out")"
  done
}

# sick STAGE SENTENCE COMMAND... is a diagnosis that ends there.
sick() {
  local stage=$1 sentence=$2
  shift 2
  look 1 -timeout 10s "$@"
  [[ $(tail -n 1 "$out") =~ ^FAIL\ +$stage\ .*$sentence ]] || fail "'$*' is not '$stage: $sentence': $(cat "$out")"
  [ "$(grep -c '^FAIL' "$out")" = 1 ] || fail "'$*' has more than one sentence"
  say "$(tail -n 1 "$out")"
}

launch relay moqrelayserver -port 0 -qmux -demo
ready relay
here=localhost:$port
path=/moq-relay

look 0 -timeout 10s -probe "moqt://$here$path"
cat "$out"
has '^  certificate +CN=localhost.*self-signed, ECDSA P-256' '^    trusted +yes' '^    by hash +browsers take it' \
  '^  UDP +answers; QUIC versions: 1' '^raw QUIC$' '^WebTransport$' '^QMux over TCP$' \
  '^    implementation +oxymoq-relay/' '^    TRACK_STATUS of no track +refused: DOES_NOT_EXIST' '^    SUBSCRIBE to no track +refused' \
  '^    SUBSCRIBE_NAMESPACE of all +accepted' '^    PUBLISH_NAMESPACE +accepted' '^    PUBLISH +accepted' 'WT_ENABLED'
accepted=$(grep -c -E '^  moq(t-[0-9]+|-00) +yes: ' "$out")
! grep -E '^  moq(t-[0-9]+|-00) +no: ' "$out" && [ "$accepted" -ge 3 ] || fail "$accepted offers were accepted, and not all"
look 0 -timeout 10s -transport quic -json -probe "moqt://$here$path"
has '"transport": "quic"' '"accepted": true' '"max_idle_timeout": 15000'

for scheme in moqt https; do
  look 0 -timeout 10s -doctor "$scheme://$here$path"
  has '^ok +session '
  if grep -q '^FAIL' "$out"; then fail "a failure, and code 0"; fi
done
look 0 -timeout 10s -transport qmux -doctor "moqt://$here$path"
has '^ok +tcp ' '^ok +session '

# The path, the name and the certificate are wrong.
sick webtransport 'nothing at the path /elsewhere' -doctor "https://$here/elsewhere"
# The close may overtake the server's SETUP.
sick '(setup|session)' 'nothing at the path "/elsewhere"' -doctor "moqt://$here/elsewhere"
sick name 'no host no-such-host.invalid|address of no-such-host.invalid|no answer within' -doctor moqt://no-such-host.invalid
for scheme in moqt https; do
  XDG_CONFIG_HOME=$SCRATCH/elsewhere sick certificate 'vouched for by nobody but itself; trust it with -ca FILE that holds it, -fingerprint [0-9a-f]{64}' \
    -doctor "$scheme://$here$path"
  sick certificate 'not the one whose fingerprint was given' -fingerprint "$(printf '%064d' 0)" -doctor "$scheme://$here$path"
done

# It listens, and says nothing any more: the system still answers over TCP.
kill -STOP "${pid[relay]}"
look 1 -timeout 1s -doctor "moqt://$here$path"
has '^FAIL +udp +UDP port .* does not answer, while its TCP port'
kill -CONT "${pid[relay]}"
strike relay
sick udp "nothing listens on UDP port $port of localhost" -doctor "moqt://$here$path"
look 1 -timeout 300 -probe "moqt://$here$path"
has '^  UDP +closed' '^  TCP +closed' '^  certificate +not told' ' no: nothing listens on this UDP port'

# TCP without UDP.
launch tcp moqrelayserver -port 0 -qmux -noquic
ready tcp
sick udp 'nothing listens on UDP port .*, while the TCP port of that number answers' -doctor "moqt://localhost:$port$path"
