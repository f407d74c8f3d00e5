// Package certs makes, loads, keeps and trusts TLS certificates.
//
// A server needs no certificate to start: SelfSigned makes one that browsers
// accept by its fingerprint (serverCertificateHashes: ECDSA, at most 14 days),
// and Store keeps it per user, so that our clients trust it towards loopback
// without a flag. ClientConfig is the one place that decides what a client
// trusts; it never turns verification off silently.
//
// It does not talk to a certificate authority and starts no goroutine: who
// wants to renew calls Source.Set.
//
// Locks: none; Source is an atomic pointer. Two processes that renew the same
// Store at once leave one complete file.
//
//	store, err := certs.UserStore()
//	...
//	cert, err := store.Get(time.Now())
//	...
//	source := certs.NewSource(cert)
//	conf := &tls.Config{GetCertificate: source.GetCertificate}
package certs
