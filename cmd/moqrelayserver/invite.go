package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"oxymoq/internal/date"
	"oxymoq/internal/door"
	"oxymoq/internal/watch"
)

// demoNamespace is where the demonstration publishes the date.
const demoNamespace = "moq-date"

// demoTrack is the date at a relay: a path, or a URL if the TCP port that serves
// the page has another number than the UDP port.
func demoTrack(at string) watch.Track {
	return watch.Track{Relay: at, Namespace: demoNamespace, Name: date.Name}
}

// pages is what browsers find beside the hash of the certificate.
func (f *flags) pages() http.Handler { return watch.Handler(demoTrack(f.endpoint)) }

// invite says where the demonstration can be seen.
func (f *flags) invite(w io.Writer, l *door.Listener) {
	fmt.Fprintf(w, "See it in a second terminal: %s -connect_url %s -track_namespace %s -track_name %s\n",
		textClient(os.Args[0]), door.URL(l, f.endpoint), demoNamespace, date.Name)
	page, web := l.HTTP(), door.WebURL(l, f.endpoint)
	if page == "" {
		return
	}
	at := f.endpoint
	if strings.TrimPrefix(web, "https") != strings.TrimPrefix(page, "http")+f.endpoint {
		at = web
	}
	fmt.Fprintf(w, "See it in a browser: %s/?%s\n", page, demoTrack(at).Query())
}

// textClient is how the text client is started by who has started this program as
// arg0: from the sources, from beside it, or from the PATH.
func textClient(arg0 string) string {
	const name = "moqtextclient"
	dir, _ := filepath.Split(arg0)
	switch {
	case strings.Contains(filepath.ToSlash(dir), "/go-build"): // where go run puts it
		return "go run ./cmd/" + name
	case dir == "":
		return name
	}
	beside := dir + name
	if _, err := os.Stat(beside); err != nil {
		return name
	}
	return beside
}
