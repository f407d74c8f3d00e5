# moqflvstreamer: what ffmpeg writes arrives packet for packet, by a pipe and by a
# fifo, in every packaging; and it ends as it should, whatever its input is.
# needs: ffmpeg=ffmpeg
. "$(dirname "$0")/stage.bash"

launch relay moqrelayserver -port 0
ready relay
relay=$url

ffmpeg=(ffmpeg -hide_banner -loglevel error -nostdin -y)
clip=$SCRATCH/clip.flv
"${ffmpeg[@]}" -f lavfi -i testsrc2=size=320x180:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 -t 3 -threads 1 \
  -c:v libx264 -preset ultrafast -profile:v high -pix_fmt yuv420p -g 15 -bf 2 -b:v 300k -c:a aac -b:a 64k "$clip" || fail "ffmpeg"
live=("${ffmpeg[@]}" -re -i "$clip" -c copy -flvflags no_duration_filesize -f flv)

# packets KIND is how many packets of video or audio the clip has.
packets() { ffprobe -v error -count_packets -select_streams "$1" -show_entries stream=nb_read_packets -of csv=p=0 "$clip"; }
declare -A want=([video0]=$(packets v) [audio0]=$(packets a))
[ "${want[video0]}" = 90 ] && [ "${want[audio0]}" -gt 130 ] || fail "the clip has ${want[video0]} and ${want[audio0]} packets"

# viewers NAMESPACE starts a reader of each track, which waits for its publisher
# and gets all there was, also if the machine is too busy for it to be in time.
viewers() {
  local track
  for track in video0 audio0; do
    launch "$1-$track" moqtextclient -connect_url "$relay" -connect_timeout 10000 -track_namespace "$1" -track_name "$track" \
      -sg 0 -rendezvous_timeout 30000 -exit_on end -format json
    await 10 "$1-$track is there" hears "$1-$track" ' connected ' 1
  done
}

# arrived NAMESPACE checks that each packet came as one object, and then the end.
arrived() {
  local track got
  for track in video0 audio0; do
    finish "$1-$track" 0 20
    got=$(grep -c '"object":' "$SCRATCH/$1-$track.out")
    [ "$got" = "${want[$track]}" ] || fail "$1: $got objects of $track, and the file has ${want[$track]} packets"
  done
  say "$1: as many objects as packets"
}

# By a pipe, by a fifo that has no writer at first, and as a file; each with
# another packaging and way to be published.
mkfifo "$SCRATCH/live.flv" "$SCRATCH/nobody.flv" "$SCRATCH/silent.flv" "$SCRATCH/stdin.flv"
for ns in pipe fifo file; do viewers "$ns"; done
publish=(moqflvstreamer -connect_url "$relay" -connect_timeout 10000)
launch fifo "${publish[@]}" -track_namespace fifo -packaging loc -publish "$SCRATCH/live.flv"
launch file "${publish[@]}" -track_namespace file -packaging hang -json "$clip"
launch pipe bash -o pipefail -c '"${@:2}" - | moqflvstreamer -connect_url "$1" -connect_timeout 10000 -track_namespace pipe -input_flv_file -' - "$relay" "${live[@]}"
await 10 "the fifo is waited for" hears fifo 'waiting for who writes into' 1
launch source "${live[@]}" "$SCRATCH/live.flv"

# Meanwhile, inputs that never come: a signal ends the program wherever it waits.
exec 7<> "$SCRATCH/silent.flv" 8<> "$SCRATCH/stdin.flv"
launch nobody "${publish[@]}" "$SCRATCH/nobody.flv"
launch silent "${publish[@]}" "$SCRATCH/silent.flv"
launch stdin bash -c 'exec moqflvstreamer -connect_url "$1" -connect_timeout 10000 - <&8' - "$relay"
for name in nobody silent stdin; do await 10 "$name is connected" hears "$name" ' connected ' 1; done
for name in nobody silent stdin; do kill -INT "${pid[$name]}"; done
for name in nobody silent stdin; do finish "$name" 0 5; done
say "signals end what waits for input"

# What is no input, and what is damaged.
echo 'this is no film' > "$SCRATCH/rubbish.flv"
head -c $(($(stat -c %s "$clip") - 50)) "$clip" > "$SCRATCH/cut.flv"
refused 1 'rubbish.flv: FLV: byte 0: .*does not begin with' "${publish[@]}" "$SCRATCH/rubbish.flv"
refused 1 'none.flv cannot be opened: no such file' "${publish[@]}" "$SCRATCH/none.flv"
refused 1 'cut.flv: FLV: it ends at byte [0-9]*, in the middle of' "${publish[@]}" -no_pace "$SCRATCH/cut.flv"
refused 1 'standard input: FLV: it ends at byte 0' "${publish[@]}" -
refused 1 'cannot connect to moqt://127.0.0.1:1/' moqflvstreamer -connect_url moqt://127.0.0.1:1/ "$clip"
refused 2 'unknown scheme' moqflvstreamer -connect_url http://localhost/ "$clip"

for ns in fifo file pipe; do
  finish "$ns" 0 20
  arrived "$ns"
done
finish source 0 5
tail -n 1 "$SCRATCH/file.out" | grep -q '"tracks":\[.*"objects":90,.*"done":true' || fail "the last line of -json: $(tail -n 1 "$SCRATCH/file.out")"
