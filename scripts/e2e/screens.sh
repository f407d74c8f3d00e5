# The screens of the text client, the streamer and the receiver, in a terminal: they
# show what comes, their keys do what they say, they leave the terminal as it was, and
# whoever asks for lines gets those.
# needs: tmux=tmux ffmpeg=ffmpeg
. "$(dirname "$0")/stage.bash"

export LC_ALL=C.UTF-8 TERM=xterm-256color
unset TMUX NO_COLOR
bin=$PWD/_build/bin
cd "$SCRATCH" || exit 1

# The server of the terminals stays in the foreground, so that it ends with the script.
launch tmux tmux -S "$SCRATCH/tmux.sock" -u -f /dev/null -D
terminal() { tmux -N -u -S "$SCRATCH/tmux.sock" "$@" 2> /dev/null; }
await 10 "tmux serves" terminal new-session -d -s first -x 20 -y 5 cat

# show NAME COMMAND... runs a command in a terminal of its own, which stays after it. Its
# exit code comes into a file.
show() {
  local name=$1
  shift
  terminal new-session -d -s "$name" -x 120 -y 24 "PATH='$bin':\$PATH $* 2> $name.err; echo \$? > $name.code; exec sleep 300" || fail "no terminal for $name"
}
screen() { terminal capture-pane -p -t "$1"; }
has() { screen "$1" | grep -q -E -- "$2"; }
lacks() { ! has "$@"; }
see() { await "${3:-20}" "$1 shows $2" has "$1" "$2"; }
# A key that follows another of which one is Escape is pressed after that has worked.
press() { local name=$1; shift; terminal send-keys -t "$name" "$@"; }
left() { [ -s "$1.code" ]; }
# ends NAME waits until a program has ended well and its screen is gone.
ends() {
  await 20 "$1 ends" left "$1"
  [ "$(cat "$1.code")" = 0 ] || fail "$1 ended with code $(cat "$1.code"): $(tail -n 3 "$1.err")"
  await 5 "the terminal of $1 is as it was" lacks "$1" 'quit'
  say "$1 has ended"
}

launch relay moqrelayserver -port 0 -demo
ready relay
relay=$url
date="moqtextclient -connect_url $relay -connect_timeout 10000 -track_namespace moq-date -track_name date"

# The text client shows lines unless it is told otherwise.
show lines "$date" -count 3 '|' cat
show plain "$date" -count 2
ends lines
ends plain
has plain '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:$|^[0-9]+$' || fail "no lines: $(screen plain)"

show text "$date" -tui on -stats text
see text '● subscribed'
see text '[+][0-9]+ms  [0-9]+'
see text 'rx [0-9]+ obj .*SUBSCRIBE_OK .*first object'
press text p
see text '── paused ──'
see text '● paused'
press text p
see text '── going on ──'
see text '● subscribed'
press text v
see text '[0-9]B  3[0-9]'
press text v / 2 9 Enter
see text '/ 29 [(]'
press text Escape
await 5 "the filter is gone" lacks text '/ 29 [(]'
press text x
see text 'exported [0-9]+ rows'
grep -q '"payload"' oxymoq-objects-*.json || fail "nothing was exported"
press text f
press text -l -- '-1 -1'
press text Enter
see text 'that was the fetch of -1 -1, with 61 objects'
press text l
see text 'subscribed largest='
press text Escape
see text '[+][0-9]+ms'
press text '?'
see text 'leave the track'
press text '?'
see text '[+][0-9]+ms'
press text u
see text 'Leave the track[?]'
press text y
see text '● over'
press text q
ends text
grep -q 'first object after' text.err || fail "no report: $(cat text.err)"

# What the streamer publishes arrives, and both say so.
ffmpeg -hide_banner -loglevel error -nostdin -y -f lavfi -i testsrc2=size=320x180:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 \
  -t 2 -threads 1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 15 -keyint_min 15 -sc_threshold 0 -b:v 300k -c:a aac -b:a 64k clip.flv || fail "ffmpeg"
to="-connect_url $relay -connect_timeout 10000"
show streamer moqflvstreamer "$to" -loop clip.flv
show receiver moqflvreceiver "$to" -rendezvous_timeout 20000 -ascii received.flv
see streamer 'video0 +H.264 +320x180 30 fps +moqmi'
see streamer '● [1-9] sub'
see streamer 'pace [01][.][0-9]+x'
see receiver '\* receiving'
see receiver 'video0 +receiving .*[0-9]b/s|video0 +receiving .*[0-9]kb/s'
see receiver 'first picture [0-9.]+(ms|s)'
press streamer p
see streamer '● paused'
press streamer p
see streamer '● [1-9] sub'
press receiver Space
see receiver '\* frozen'
press receiver Space q
see receiver 'Stop receiving[?]'
press receiver y
ends receiver
ffprobe -v error -show_entries format=duration -of csv=p=0 received.flv | grep -q '^[0-9]' || fail "what was received has no duration"
show lined moqflvreceiver "$to" -progress 1 lined.flv
await 20 "there are lines" grep -q -s 'moqflvreceiver  video0 group=' lined.err
lacks lined 'quit' || fail "lines were asked for, and there is a screen"
terminal kill-session -t lined
press streamer C-c
ends streamer
grep -q 'published 00:' streamer.err || fail "no summary: $(cat streamer.err)"
