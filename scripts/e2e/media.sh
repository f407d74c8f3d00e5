# READMOQMEDIA.md: its scripts, A to F and I, and the commands that it shows, as
# they are written there but for the port and the length of the source. G and H
# need a browser: browser.sh.
# needs: ffmpeg=ffmpeg
. "$(dirname "$0")/stage.bash"

root=$PWD media=$PWD/scripts/media
export MEDIA_DIR=$SCRATCH MEDIA_SECONDS=10 SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy

# decodes FILE fails if ffmpeg has anything to say of it.
decodes() {
  local said
  said=$(ffmpeg -hide_banner -nostdin -loglevel warning -xerror -i "$1" -f null - 2>&1) && [ -z "$said" ] || fail "$1: $said"
}

# pictures FILE is how many pictures it has.
pictures() { ffprobe -v error -count_packets -select_streams v -show_entries stream=nb_read_packets -of csv=p=0 "$1"; }

bash "$media/prepare.sh" > "$SCRATCH/prepare.out" 2>&1 || fail "prepare.sh: $(tail -n 3 "$SCRATCH/prepare.out")"

# B to F: a relay, a source in real time, two receivers, of which one shows it.
MEDIA_PORT=0 launch relay bash "$media/relay.sh"
ready relay
export MEDIA_URL=$(sed -n 's/.*\(https:[^ ,]*\).*/\1/p' "$SCRATCH/relay.err" | tail -n 1)
launch source bash "$media/source.sh"
launch stream bash "$media/stream.sh"
launch watch bash "$media/watch.sh"
launch save bash "$media/save.sh" "$SCRATCH/saved.flv" 5
finish save 0 30
decodes "$SCRATCH/saved.flv"
for line in codec_name=h264 'profile=Constrained Baseline' width=320 height=200 codec_name=aac profile=LC sample_rate=48000 channels=1; do
  grep -qx "$line" "$SCRATCH/save.out" || fail "ffprobe does not find $line in what was saved: $(cat "$SCRATCH/save.out")"
done
grep -q '^avg_frame_rate=\(30/1\|2[89]\|3[01]\)' "$SCRATCH/save.out" || fail "the rate is not that of the source: $(cat "$SCRATCH/save.out")"
[ "$(pictures "$SCRATCH/saved.flv")" -ge 75 ] || fail "5 seconds have $(pictures "$SCRATCH/saved.flv") pictures"
finish source 0 30
finish stream 0 20
finish watch 0 20
say "saved: $(pictures "$SCRATCH/saved.flv") pictures, watched to the end"

# I, with a test picture for a card, and nothing for the other.
MEDIA_CAPTURE="-re -f lavfi -i testsrc2=size=320x200:rate=25 -re -f lavfi -i sine=sample_rate=48000 -t 4" launch in bash "$media/sdi.sh" in
MEDIA_PLAYOUT="-f flv -y $SCRATCH/played.flv" launch out bash "$media/sdi.sh" out
finish in 0 30
finish out 0 20
[ "$(pictures "$SCRATCH/played.flv")" -ge 25 ] || fail "the card would have got $(pictures "$SCRATCH/played.flv") pictures"
say "played out: $(pictures "$SCRATCH/played.flv") pictures"
for wrong in sdi.sh "sdi.sh in" browser-player.sh "browser-player.sh x" "relay.sh x"; do
  # shellcheck disable=SC2086 # a command line
  bash "$media"/$wrong > /dev/null 2>&1
  [ $? = 2 ] || fail "$wrong does not end with code 2"
done
strike relay

# The commands, in the order of the document.
mkdir "$SCRATCH/commands"
ln -s "$root/certs" "$SCRATCH/commands/certs"
cd "$SCRATCH/commands" || fail "cd"
# block LETTER N is the Nth command under a heading, for our port and some seconds.
block() {
  awk -v letter="## $1\\\\." -v n="$2" '$0 ~ "^" letter { on = 1; next } /^## / { on = 0 } on && /^    / && ++i == n { print substr($0, 5) }' "$root/READMOQMEDIA.md" |
    sed "s/4433/$port/g; s/-t 300/-t 6/"
}
port=0
launch relay2 bash -c "$(block B 1)"
ready relay2
eval "$(block C 1)" # mkfifo
launch source bash -c "$(block C 2)"
launch stream bash -c "$(block D 1)"
launch player bash -c "$(block F 1); $(block F 2) wait"
launch watch bash -c "sleep 0; $(block F 3)"
launch save bash -c "$(block E 1)"
for name in source stream save watch player; do finish $name 0 40; done
decodes received.flv
[ "$(pictures received.flv)" -ge 100 ] || fail "received.flv has $(pictures received.flv) pictures"
bash -c "$(block E 2)" > "$SCRATCH/probe.out" 2>&1 || fail "$(cat "$SCRATCH/probe.out")"
bash -c "$(block E 3)" > "$SCRATCH/play.out" 2>&1 || fail "$(cat "$SCRATCH/play.out")"
launch pipe bash -c "$(block D 2)"
launch direct bash -c "$(block F 4)"
finish pipe 0 40
finish direct 0 20
say "commands: $(pictures received.flv) pictures"
