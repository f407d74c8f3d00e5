// Package website serves HTTP/3 that knows nothing of WebTransport or that
// refuses it, for tests of clients that meet such servers.
//
// Goroutines: those of HTTP/3; they have ended when the test has. Locks: none.
//
//	addr := website.Serve(t, certificate, nil, http.StatusNotFound, "")
package website
