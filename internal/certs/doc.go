// Package certs makes, loads, keeps and trusts TLS certificates.
//
// A server needs no certificate to start: SelfSigned makes one that browsers
// accept by its fingerprint (serverCertificateHashes: ECDSA, at most 14 days),
// and Store keeps it per user, so that our clients trust it towards loopback
// without a flag. ClientConfig is the one place that decides what a client
// trusts; it never turns verification off silently.
//
// It does not talk to a certificate authority, and starts no goroutine: who
// wants a certificate to be renewed or read again runs Source.Keep in one.
//
// Locks: none; Source is an atomic pointer. Two processes that renew the same
// Store at once leave one complete file, and both take that one in the end.
//
//	source, what, err := certs.ServerSource("", "", time.Now())
//	...
//	go source.Keep(ctx, log)
//	conf := &tls.Config{GetCertificate: source.GetCertificate}
package certs
