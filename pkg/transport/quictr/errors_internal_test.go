package quictr

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/quic-go/quic-go"
)

func TestAllFailed(t *testing.T) {
	six, four := netip.MustParseAddrPort("[::1]:443"), netip.MustParseAddrPort("127.0.0.1:443")
	other := errors.New("unreachable")
	fails := func(at netip.AddrPort, err error) *AddrError { return &AddrError{[]netip.AddrPort{at}, err} }
	for _, tt := range []struct {
		name  string
		errs  []*AddrError
		want  string
		alike bool
	}{
		{"one", []*AddrError{fails(six, ErrNoAnswer)}, "[::1]:443: no answer", true},
		{"alike", []*AddrError{fails(six, ErrNoAnswer), fails(four, ErrNoAnswer)}, "[::1]:443 and 127.0.0.1:443: no answer", true},
		{"unlike", []*AddrError{fails(six, ErrNoAnswer), fails(four, other)}, "[::1]:443: no answer; 127.0.0.1:443: unreachable", false},
	} {
		err := allFailed(tt.errs)
		if err.Error() != tt.want || !errors.Is(err, ErrNoAnswer) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
		if _, alike := err.(*AddrError); alike != tt.alike { //nolint:errorlint // it is not wrapped
			t.Errorf("%s: a %T", tt.name, err)
		}
	}
}

// TestFaultOfTheirs: what the peer's TLS says is all there is to show.
func TestFaultOfTheirs(t *testing.T) {
	e := &quic.TransportError{ErrorCode: 0x12a, Remote: true, ErrorMessage: "tls: bad certificate"}
	if got := dialError(e); got != error(e) {
		t.Errorf("got %v", got)
	}
	local := &quic.TransportError{ErrorCode: 0x12a, ErrorMessage: "no more is known"}
	if got := dialError(local); got != error(local) {
		t.Errorf("got %v", got)
	}
}
