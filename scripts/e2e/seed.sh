# The commands of moxygen's README as they stand there, after ./build.sh and
# scripts/create-server-certs.sh: the date server and the text client by
# themselves, then the relay. They run in a directory that looks like the root of
# the project, on the port that they name.
. "$(dirname "$0")/stage.bash"

project=$SCRATCH/project
mkdir -p "$project/internal" "$project/scripts" "$project/_build"
cp go.mod go.sum "$project/"
cp -r internal/certs internal/cli "$project/internal/"
cp -r scripts/servercerts scripts/create-server-certs.sh "$project/scripts/"
cp -r _build/bin "$project/_build/"
(cd "$project/scripts" && ./create-server-certs.sh) > "$SCRATCH/certs.log" 2>&1 || fail "no certificate: $(cat "$SCRATCH/certs.log")"
cd "$project" || fail "there is no $project"

# serves NAME waits for a server on the port that the commands name, which other
# programs of this machine may have.
serves() {
  await 10 "$1 is ready" said "$1" ' is ready: '
  ! grep -q 'in use' "$SCRATCH/$1.err" || fail "port 4433, which the commands name, is taken by another program of this machine"
  ready "$1"
}

launch date ./_build/bin/moqdateserver -port 4433 -cert ./certs/certificate.pem -key ./certs/certificate.key --logging DBG1
serves date
launch client ./_build/bin/moqtextclient --connect_url "https://localhost:4433/moq-date" --track_namespace "moq-date" --track_name "/date"
more client 3
contiguous client
say "date server and text client: $(count client) lines, $(head -n 1 "$SCRATCH/client.out") first"
for name in client date; do
  kill -INT "${pid[$name]}"
  finish "$name" 0 10
done

launch relay ./_build/bin/moqrelayserver -port 4433 -cert ./certs/certificate.pem -key ./certs/certificate.key -endpoint "/moq" --logging DBG
serves relay
launch publisher ./_build/bin/moqdateserver -port 0 --relay_url "https://localhost:4433/moq"
launch viewer ./_build/bin/moqtextclient --connect_url "https://localhost:4433/moq" --track_namespace "moq-date" --track_name "date" --rendezvous_timeout 5000
more viewer 3
contiguous viewer
say "through the relay: $(count viewer) lines"
for name in viewer publisher relay; do
  kill -INT "${pid[$name]}"
  finish "$name" 0 10
done
