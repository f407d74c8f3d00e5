#!/usr/bin/env bash
# A. What everything else needs: looks for ffmpeg, builds the programs, and makes a
# certificate in certs/ unless there is one.
#
#   scripts/media/prepare.sh
. "$(dirname "$0")/settings.bash"

tool ffmpeg
tool ffplay
tool ffprobe
"$root/build.sh"
[ -f "$root/certs/certificate.pem" ] || "$root/scripts/create-server-certs.sh"
echo "Ready. For this terminal:  export PATH=\"$MEDIA_BIN:\$PATH\""
