# The configuration file: what is printed is read again, what outweighs what, what is
# refused with its line, and what a running relay takes up when the file changes and
# on SIGHUP.
# needs: curl=curl
. "$(dirname "$0")/stage.bash"

file=$SCRATCH/relay.yaml

# What is printed is a file that says the same, and is what the documents have.
moqrelayserver -print_config > "$SCRATCH/defaults.yaml" || fail "no configuration is printed"
cmp "$SCRATCH/defaults.yaml" docs/moqrelayserver.yaml || fail "docs/moqrelayserver.yaml is not what is printed"
moqrelayserver -config "$SCRATCH/defaults.yaml" -print_config | cmp - "$SCRATCH/defaults.yaml" || fail "what is printed is read differently"
say "the printed configuration is read again"

# holds PATTERN COMMAND... prints a configuration, in which a line must match.
holds() {
  local pattern=$1
  shift
  "$@" -print_config > "$SCRATCH/printed" || fail "'$*' prints no configuration"
  grep -q -E -- "$pattern" "$SCRATCH/printed" || fail "'$*' has no line '$pattern'"
}
printf 'network:\n  port: 4001\ncache:\n  memory: 64\n' > "$file"
holds "^  port: 4001 # set by $file:2\$" moqrelayserver -config "$file"
MOQ_CONFIG=$file holds "^  memory: 64 # set by $file:4\$" moqrelayserver
MOQ_PORT=4002 holds '^  port: 4002 # set by MOQ_PORT$' moqrelayserver -config "$file"
MOQ_PORT=4002 holds '^  port: 4003 # set by -port$' moqrelayserver -config "$file" -port 4003
say "the command line outweighs the environment, and that the file"

# A file that is wrong.
printf 'network:\n  port: 4001\n  prot: 4001\n' > "$file"
refused 2 "$file:3: unknown key network.prot, did you mean network.port" moqrelayserver -config "$file"
printf 'cache:\n  memory: 0\n' > "$file"
refused 2 "cache is 0; .*$file:2: cache.memory" moqrelayserver -config "$file"
refused 2 "cache is 0; .*$file:2: cache.memory" moqrelayserver -config "$file" -validate_config
printf 'cache:\n\tmemory: 1\n' > "$file"
refused 2 "$file:2: .*tab" moqrelayserver -config "$file"
refused 1 'none.yaml' moqrelayserver -config "$SCRATCH/none.yaml"

# A relay that runs.
tokens=$SCRATCH/tokens
first=the-first-token-of-all second=the-second-token-of-all
(umask 077 && echo "read $first" > "$tokens")
# write LEVELS SCOPE [LINE...] writes the file; network.port stays free.
write() {
  local levels=$1 scope=$2
  shift 2
  printf '%s\n' 'network:' '  port: 0' 'log:' "  levels: $levels" 'tracks:' "  scope: $scope" \
    'admin:' "  addresses: ['127.0.0.1:0']" "  token: $tokens" "$@" > "$file.new"
  mv "$file.new" "$file"
}
write INFO none
moqrelayserver -config "$file" -validate_config 2> "$SCRATCH/validated" || fail "what is right is refused: $(cat "$SCRATCH/validated")"
launch relay moqrelayserver -config "$file"
ready relay
api=$(sed -n 's/^The admin API is at \(.*\)\.$/\1/p' "$SCRATCH/relay.err")
# answers CODE TOKEN
answers() { [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $2" "$api/v1/state")" = "$1" ]; }
answers 200 "$first" || fail "the first token does not grant"

# On SIGHUP, at once.
write DBG path 'cache:' '  memory: 32'
kill -HUP "${pid[relay]}"
await 10 "SIGHUP is heeded" hears relay 'the configuration was read again changed="cache.memory, log.levels"' 1
await 5 "what cannot change is told" hears relay 'WARN what changed here.*keys=tracks.scope' 1
running relay || fail "SIGHUP ended the relay"
say "SIGHUP: levels changed, and the relay says what could not"

# When the file changes, and when that of the tokens does.
write INFO none
await 20 "the file is looked at" hears relay 'the configuration was read again changed="cache.memory, log.levels"' 2
(umask 077 && echo "read $second" > "$tokens.new" && mv "$tokens.new" "$tokens")
await 20 "the tokens are looked at" answers 200 "$second"
answers 401 "$first" || fail "the first token still grants"
say "files that change are taken up"

# What is wrong changes nothing.
write INFO none 'relay:' '  drian: 1s'
kill -HUP "${pid[relay]}"
await 10 "a fault is told" hears relay 'the configuration in use stays.*unknown key relay.drian, did you mean relay.drain' 1
answers 200 "$second" || fail "a fault changed something"
write INFO none 'relay:' '  drain: 1234ms'
kill -HUP "${pid[relay]}"
await 10 "what was mended is taken up" hears relay 'read again changed=relay.drain' 1
kill -TERM "${pid[relay]}"
await 5 "the relay stops" hears relay 'peers have 1.234s to leave' 1
finish relay 0 10
say "what is wrong changes nothing"
