// Package sideport answers, by HTTP over TCP, what a browser needs to know
// before it can connect: the SHA-256 of the server's certificate, for
// serverCertificateHashes of WebTransport. The port has the number of the UDP
// port, where pages that know only that number look for it.
//
//	GET /fingerprint                          64 hex digits
//	GET /certificate.sha256                   the same, as @moq/net asks for it
//	GET /certs/certificate_fingerprint.hex    32 raw bytes, as moq-encoder-player
//
// The answers are those of the certificate in use at that moment, and any page
// may read them: the hash is no secret, every handshake shows the certificate.
// Other paths belong to Config.Pages. There is no TLS here, no MoQT, and
// nothing that changes the server.
//
// Goroutines: those of net/http, at most MaxConns for connections; all have
// ended when Serve returns. Locks: none.
//
//	ln, err := net.Listen("tcp", ":4433")
//	...
//	err = sideport.Serve(ctx, ln, sideport.Config{Source: source, Log: log})
package sideport
