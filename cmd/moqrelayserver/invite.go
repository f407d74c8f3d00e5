package main

import (
	"fmt"
	"io"
	"net/http"
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
	fmt.Fprintf(w, "See it in a second terminal: moqtextclient -connect_url %s -track_namespace %s -track_name %s\n",
		door.URL(l, f.endpoint), demoNamespace, date.Name)
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
