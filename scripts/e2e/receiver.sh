# moqflvreceiver: what moqflvstreamer publishes arrives packet for packet, for who was
# there before and for who joins late, in a file, a fifo and a pipe; it goes on after the
# publisher and the relay were killed; and what is written decodes without a word.
# needs: ffmpeg=ffmpeg
. "$(dirname "$0")/stage.bash"

launch relay moqrelayserver -port 0
ready relay
relay=$url own_port=$port

clip=$SCRATCH/clip.flv
ffmpeg -hide_banner -loglevel error -nostdin -y -f lavfi -i testsrc2=size=320x180:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 \
  -t 4 -threads 1 -c:v libx264 -preset ultrafast -profile:v high -pix_fmt yuv420p -g 15 -keyint_min 15 -sc_threshold 0 -bf 2 -b:v 300k \
  -c:a aac -b:a 64k "$clip" || fail "ffmpeg"

# packets FILE v|a lists the sizes of the packets of a file.
packets() { ffprobe -v error -select_streams "$2" -show_entries packet=size -of csv=p=0 "$1"; }

# tail_of NAME all|N checks that the file of a receiver has the last packets of the
# clip, none missing in between: all of them, or at least N of video.
tail_of() {
  local kind got want n file=$SCRATCH/$1.flv
  for kind in v a; do
    got=$(packets "$file" "$kind")
    n=$(wc -l <<< "$got")
    want=$(packets "$clip" "$kind")
    [ "$2" = all ] || want=$(tail -n "$n" <<< "$want")
    [ "$got" = "$want" ] || fail "$1: $n packets of $kind are not those of the clip"
    [ "$2" = all ] || [ "$kind" = a ] || [ "$n" -ge "$2" ] || fail "$1: only $n packets of $kind"
    say "$1: $n packets of $kind, as in the clip"
  done
  decodes "$1"
}

# decodes NAME decodes the file of a receiver; ffmpeg must have nothing to say of it.
# The times of each kind must grow.
decodes() {
  local said kind file=$SCRATCH/$1.flv
  said=$(ffmpeg -hide_banner -loglevel warning -nostdin -xerror -i "$file" -f null - 2>&1) || fail "$1 does not decode: $said"
  [ -z "$said" ] || fail "$1: ffmpeg says: $said"
  for kind in v a; do
    ffprobe -v error -select_streams "$kind" -show_entries packet=dts_time -of csv=p=0 "$file" |
      awk -F, 'NR > 1 && $1 <= last { print $1 " after " last; bad = 1 } { last = $1 } END { exit bad }' || fail "$1: the times of $kind go back"
  done
}

receive=(moqflvreceiver -connect_url "$relay" -connect_timeout 10000)

# Who waits for the publisher gets all of the clip, in several kinds of output. The clip
# comes in three parts, so that it does not matter how fast this machine is.
part() { tail -c +$(($1 + 1)) "$clip" | head -c $(($2 - $1)) >&9; }
size=$(wc -c < "$clip")
first=$(ffprobe -v error -select_streams v -show_entries packet=pos -of csv=p=0 "$clip" | sed -n 12p) # within the first group
clipped=("${receive[@]}" -track_namespace clip)
mkfifo "$SCRATCH/clip.in" "$SCRATCH/fifo.flv"
launch early "${clipped[@]}" -rendezvous_timeout 30000 -stats json "$SCRATCH/early.flv"
launch pipe bash -o pipefail -c '"${@:2}" - | cat > "$1"' - "$SCRATCH/pipe.flv" "${clipped[@]}" -rendezvous_timeout 30000
launch fifo "${clipped[@]}" -rendezvous_timeout 30000 "$SCRATCH/fifo.flv"
launch watcher ffmpeg -hide_banner -loglevel warning -nostdin -xerror -i "$SCRATCH/fifo.flv" -f null -
await 10 "the fifo has a reader" hears fifo 'there is a reader' 1
launch clip moqflvstreamer -connect_url "$relay" -connect_timeout 10000 -track_namespace clip -no_pace "$SCRATCH/clip.in"
exec 9> "$SCRATCH/clip.in"
seen() { await 20 "$1 has a picture" hears "$1" 'first picture' 1; }
part 0 "$first"
for name in early pipe fifo; do seen "$name"; done
part "$first" $((size / 2))
await 20 "the half of the clip comes" lines early 120

# One that joins late, one that a signal ends, and one that ends when its reader does.
launch late "${clipped[@]}" -stats json "$SCRATCH/late.flv" 9>&-
launch stopped "${clipped[@]}" "$SCRATCH/stopped.flv" 9>&-
launch brief bash -c '"$@" - | head -c 3000 > /dev/null; exit "${PIPESTATUS[0]}"' - "${clipped[@]}" 9>&-
for name in late stopped brief; do seen "$name"; done
kill -INT "${pid[stopped]}"
finish stopped 0 10
part $((size / 2)) "$size"
exec 9>&-
for name in clip early pipe fifo late brief watcher; do finish "$name" 0 20; done
tail_of early all
tail_of pipe all
tail_of late 30
[ ! -s "$SCRATCH/watcher.err" ] || fail "ffmpeg says of the fifo: $(cat "$SCRATCH/watcher.err")"
decodes stopped
ffprobe -v error -show_entries format=duration -of csv=p=0 "$SCRATCH/stopped.flv" | grep -q '^[0-9]' || fail "stopped: no duration"
for name in early late; do
  grep -q '"report":' "$SCRATCH/$name.out" || fail "$name: no report"
  say "$name: $(grep -o '"first_picture_ms":[0-9.]*' "$SCRATCH/$name.out")"
done

# Publisher and relay are killed and come back.
publish() { launch live moqflvstreamer -connect_url "$relay" -connect_timeout 10000 -retry -track_namespace live -loop "$clip"; }
publish
launch viewer "${receive[@]}" -track_namespace live -retry -progress 1 -json "$SCRATCH/viewer.flv"
pictures() { sed -n '$s/.*"kind":"video"[^}]*"written":\([0-9]*\).*/\1/p' "$SCRATCH/viewer.out"; }
grown() { local n; n=$(pictures); [ "${n:-0}" -ge "$1" ]; }
goes_on() {
  local n
  n=$(pictures)
  await 40 "the file goes on after $1" grown $((${n:-0} + 45))
  say "after $1: $(pictures) pictures"
}
goes_on "the beginning"
strike live
publish
goes_on "the publisher's restart"
strike relay
launch relay moqrelayserver -port "$own_port"
goes_on "the relay's restart"
kill -INT "${pid[live]}"
finish live 0 10
finish viewer 0 20
decodes viewer
