# What goes wrong on the way to a track ends a program with code 1 and one sentence
# that says so in words, over raw QUIC and over WebTransport. That drafts have
# nothing in common is shown by the tests of cmd/moqtextclient.
. "$(dirname "$0")/stage.bash"

# No sentence has the codes and wrappings of libraries in it.
raw='CRYPTO_ERROR|0x[0-9a-f]|tls:|x509:|context deadline|H3_|lookup |read udp|dial |goroutine'
plain() {
  grep -v '^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]' "$SCRATCH/run$number.err" | grep -E -- "$raw" && fail "that is no sentence for users"
  return 0
}

launch relay moqrelayserver -port 0 -demo
ready relay
path=/${url##*/}
launch gone moqrelayserver -port 0
relay_port=$port
ready gone
gone_port=$port
strike gone
track="-track_namespace moq-date -track_name date"
client="moqtextclient $track -connect_url"
server="moqdateserver -nolisten -relay_url"

for scheme in moqt https; do
  relay=$scheme://localhost:$relay_port
  for program in "$client" "$server"; do
    # The path and the host are wrong.
    refused 1 "cannot connect to $relay/elsewhere: .*path" $program "$relay/elsewhere"
    plain
    refused 1 'no host no-such-host.invalid|address of no-such-host.invalid|no answer within' $program "$scheme://no-such-host.invalid:4433$path"
    plain
    # The certificate is not trusted, or is another one.
    XDG_CONFIG_HOME=$SCRATCH/elsewhere refused 1 'the certificate of localhost is not trusted .*-fingerprint [0-9a-f]{64}' $program "$relay$path"
    plain
    refused 1 'the certificate of localhost is not trusted' $program "$relay$path" -fingerprint "$(printf '%064d' 0)"
    plain
  done
  # Nothing answers: a port that was free just now, and as long as is said.
  refused 1 'no answer within 300ms' $client "$scheme://localhost:$gone_port$path" -connect_timeout 300
  plain
  refused 1 'no answer within 1s' $client "$scheme://localhost:$gone_port$path"
  plain
  refused 1 'no answer within 300ms' $server "$scheme://localhost:$gone_port$path" -relay_connect_timeout 300
  plain
  # Nobody publishes that.
  refused 1 'no track "date" of namespace "nobody"' moqtextclient -connect_url "$relay$path" -track_namespace nobody -track_name date
  plain
  refused 1 'no track "sundial" of namespace "moq-date"' moqtextclient -connect_url "$relay$path" -track_namespace moq-date -track_name sundial
  plain
  refused 1 'no such range|newest object' moqtextclient -connect_url "$relay$path" $track -fetch -sg 99999999999
  plain

  # And what is right works, also by careless clients.
  launch "viewer-$scheme" $client "$relay$path" -count 2
  finish "viewer-$scheme" 0 10
  contiguous "viewer-$scheme"
  XDG_CONFIG_HOME=$SCRATCH/elsewhere launch "careless-$scheme" $client "$relay$path" -insecure -count 2
  finish "careless-$scheme" 0 10
  contiguous "careless-$scheme"
done
