// Package watch is a page for browsers that shows a track live: it connects by
// WebTransport to the relay that served it, subscribes, joins the current group
// and shows the objects as they come, and with which code and reason a session
// or subscription ended. The relay serves it beside the hash of its certificate.
//
//	http://localhost:4433/?relay=/moq-relay&namespace=moq-date&track=date
//
// The page is four files without a build step: index.html, main.mjs (what is
// shown), session.mjs (streams and requests of a session) and wire.mjs (the bytes
// of draft 18, which scripts/browser/wire.test.mjs checks against the golden
// vectors of pkg/wire). scripts/e2e/browser.sh runs it in Chromium.
//
// The package speaks no MoQT and knows no certificate; the page asks for
// /certificate.sha256 of the port that it came from, which has the number of the
// UDP port too. There is no goroutine and no lock.
//
//	pages := watch.Handler(watch.Track{Relay: "/moq-relay", Namespace: "moq-date", Name: "date"})
//	err := http.Serve(listener, pages)
package watch
