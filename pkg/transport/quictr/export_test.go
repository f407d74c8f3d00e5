package quictr

import (
	"context"
	"net/netip"
)

// SetLookup replaces the resolver and returns the one before.
func SetLookup(f func(context.Context, string, string) ([]netip.Addr, error)) func(context.Context, string, string) ([]netip.Addr, error) {
	old := lookup
	lookup = f
	return old
}
