#!/usr/bin/env bash
# I. SDI in and out, with a card of Blackmagic and an ffmpeg that was built for it
# (--enable-decklink; the packages of Debian and Homebrew are not).
#
#   scripts/media/sdi.sh in DEVICE           captures and publishes; source.sh and stream.sh in one
#   scripts/media/sdi.sh out DEVICE          receives and plays out
#   scripts/media/sdi.sh devices             lists the devices
#
# MEDIA_CAPTURE replaces ffmpeg's arguments for the input, MEDIA_PLAYOUT those for
# the output, for other cards: "-f v4l2 -i /dev/video0 -f alsa -i hw:0".
. "$(dirname "$0")/settings.bash"

tool ffmpeg
case ${1:-} in
  in)
    [ $# = 2 ] || [ -n "${MEDIA_CAPTURE:-}" ] || { usage >&2; exit 2; }
    streamer=$(program moqflvstreamer)
    # shellcheck disable=SC2206 # several arguments
    capture=(${MEDIA_CAPTURE:-}) device=(-f decklink -i "${2:-}")
    [ ${#capture[@]} = 0 ] || device=("${capture[@]}")
    ffmpeg -hide_banner -loglevel warning -nostdin "${device[@]}" \
      -pix_fmt yuv420p -c:v libx264 -preset veryfast -tune zerolatency -b:v 4M -g 60 -c:a aac -b:a 128k -ac 2 \
      -f flv -flvflags no_duration_filesize - |
      "$streamer" -input_flv_file - -no_pace -connect_url "$MEDIA_URL" -track_namespace "$MEDIA_NAMESPACE"
    ;;
  out)
    [ $# = 2 ] || [ -n "${MEDIA_PLAYOUT:-}" ] || { usage >&2; exit 2; }
    receiver=$(program moqflvreceiver)
    # shellcheck disable=SC2206 # several arguments
    playout=(${MEDIA_PLAYOUT:-}) device=(-pix_fmt uyvy422 -s 1920x1080 -r 25 -ac 2 -ar 48000 -f decklink "${2:-}")
    [ ${#playout[@]} = 0 ] || device=("${playout[@]}")
    "$receiver" -flv_outpath - -connect_url "$MEDIA_URL" -track_namespace "$MEDIA_NAMESPACE" -retry |
      ffmpeg -hide_banner -loglevel warning -nostdin -probesize 50000 -analyzeduration 500000 -i - "${device[@]}"
    ;;
  devices)
    ffmpeg -hide_banner -sources decklink
    ffmpeg -hide_banner -sinks decklink
    ;;
  *) usage >&2; exit 2 ;;
esac
