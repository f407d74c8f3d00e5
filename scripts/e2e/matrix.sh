# ffmpeg, fifo, moqflvstreamer, relay, moqflvreceiver, fifo, ffmpeg, for every kind of
# source: as many packets as the source has, none that does not decode, times that
# grow, sound and picture together. All of them at once, in real time.
# needs: ffmpeg=ffmpeg
. "$(dirname "$0")/stage.bash"

ffmpeg=(ffmpeg -hide_banner -nostdin -y)
launch relay moqrelayserver -port 0
ready relay

# encode NAME PICTURES-A-SECOND SIZE HERTZ CHANNELS [ARGUMENT...] makes a clip of
# two seconds; 0 pictures or hertz: none of them.
encode() {
  local out=$SCRATCH/$1.flv rate=$2 size=$3 hertz=$4 channels=$5 args=()
  [ "$rate" = 0 ] || args+=(-f lavfi -i "testsrc2=size=$size:rate=$rate")
  [ "$hertz" = 0 ] || args+=(-f lavfi -i "sine=frequency=440:sample_rate=$hertz")
  args+=(-t 2 -threads 1)
  [ "$rate" = 0 ] || args+=(-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g "$((rate / 2))" -sc_threshold 0 -b:v 300k)
  [ "$hertz" = 0 ] || args+=(-c:a aac -b:a 64k -ac "$channels")
  "${ffmpeg[@]}" -loglevel error "${args[@]}" "${@:6}" -f flv -flvflags no_duration_filesize "$out" || fail "encoding $1"
}

encode baseline 30 320x180 48000 2 -profile:v baseline -bf 0
encode bframes 30 320x180 44100 2 -profile:v high -bf 3
encode sixty 60 320x180 48000 1 -profile:v high -bf 2
encode mono44 30 160x90 44100 1 -profile:v baseline -bf 0
encode audio 0 - 48000 2
encode video 30 320x180 0 0 -profile:v high -bf 2
encode hour 30 160x90 48000 2 -profile:v high -bf 2 -output_ts_offset 3600
encode wrap 30 160x90 48000 2 -profile:v high -bf 2 -output_ts_offset 2147482.6 # 31 bits, all that ffmpeg writes
encode small 30 320x180 48000 2 -profile:v high -bf 2
encode large 30 480x270 48000 2 -profile:v high -bf 2
cat "$SCRATCH/small.flv" "$SCRATCH/large.flv" > "$SCRATCH/change.flv"
cases="baseline bframes sixty mono44 audio video hour wrap change"

# packets NAME.flv KIND lists decoding times and sizes, in seconds and bytes.
packets() { ffprobe -v error -select_streams "$2" -show_entries packet=dts_time,size -of csv=p=0 "$SCRATCH/$1" | grep .; }

# joined NAME.flv KIND lists what a receiver writes of it: it begins with the first
# picture, and so does the sound.
joined() {
  local first
  first=$(packets "$1" v | sed -n '1s/,.*//p')
  packets "$1" "$2" | awk -F, -v first="${first:-0}" '$1 >= first'
}

for c in $cases; do
  mkfifo "$SCRATCH/$c.in" "$SCRATCH/$c.out.fifo"
  launch "watch-$c" bash -o pipefail -c 'tee "$1" < "$2" | ffmpeg -hide_banner -nostdin -loglevel error -xerror -i - -f null -' - "$SCRATCH/$c.got.flv" "$SCRATCH/$c.out.fifo"
  launch "receive-$c" moqflvreceiver -connect_url "$url" -connect_timeout 10000 -track_namespace "$c" -rendezvous_timeout 60000 "$SCRATCH/$c.out.fifo"
done
for c in $cases; do
  await 20 "the receiver of $c has a reader" hears "receive-$c" 'there is a reader' 1
  launch "stream-$c" moqflvstreamer -connect_url "$url" -connect_timeout 10000 -track_namespace "$c" "$SCRATCH/$c.in"
  launch "source-$c" cp "$SCRATCH/$c.flv" "$SCRATCH/$c.in"
done

for c in $cases; do
  for p in source stream receive watch; do finish "$p-$c" 0 60; done
  [ ! -s "$SCRATCH/watch-$c.err" ] || fail "$c does not decode: $(cat "$SCRATCH/watch-$c.err")"
  for kind in v a; do
    joined "$c.flv" $kind > "$SCRATCH/want"
    # What follows a change has the parameter sets in its first picture too, and two files have two clocks.
    [ "$c" = change ] && { joined small.flv $kind; packets large.flv $kind; } > "$SCRATCH/want"
    packets "$c.got.flv" $kind > "$SCRATCH/got"
    want=$(wc -l < "$SCRATCH/want") got=$(wc -l < "$SCRATCH/got")
    [ "$got" = "$want" ] || fail "$c: $got packets of $kind, and the source has $want"
    [ "$c" = change ] || diff <(cut -d, -f2 "$SCRATCH/want") <(cut -d, -f2 "$SCRATCH/got") > "$SCRATCH/sizes" || fail "$c: other packets of $kind: $(head -n 4 "$SCRATCH/sizes")"
    awk -F, 'NR > 1 && $1 <= last { print $1 " after " last; bad = 1 } { last = $1 } END { exit bad }' "$SCRATCH/got" > "$SCRATCH/back" ||
      fail "$c: the times of $kind go back: $(head -n 1 "$SCRATCH/back")"
    # How much later or earlier than in the source, in milliseconds. Where the clock wraps, ffprobe goes back.
    [ "$c" = change ] || [ "$c" = wrap ] || paste -d, "$SCRATCH/got" "$SCRATCH/want" | awk -F, '{ print int(($1 - $3) * 1000 + ($1 < $3 ? -.5 : .5)) }' | sort -n | sed -n '1p;$p' > "$SCRATCH/shift-$kind"
    say "$c: $got packets of $kind$([ -s "$SCRATCH/shift-$kind" ] && echo ", $(paste -sd ' ' "$SCRATCH/shift-$kind") ms from the source")"
  done
  { cat "$SCRATCH"/shift-* 2> /dev/null || true; } | sort -n | sed -n '1p;$p' | paste -sd ' ' | awk -v c="$c" 'NF == 2 && $2 - $1 > 20 { print c ": sound and picture are " $2 - $1 " ms apart"; exit 1 }' > "$SCRATCH/skew" || fail "$(cat "$SCRATCH/skew")"
  rm -f "$SCRATCH"/shift-*
done
