package dial

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

func TestExplain(t *testing.T) {
	to := Target{Host: "h", Port: "1", Path: "/p", Authority: "h:1"}
	certificate := errors.New("the certificate is not trusted")
	at := netip.MustParseAddrPort("10.0.0.1:1")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{IsNotFound: true, Name: "h", Server: "10.0.0.53"}, "there is no host h"},
		{fmt.Errorf("x: %w", &net.DNSError{Err: "server misbehaving", Name: "h"}), "the address of h cannot be found out (server misbehaving)"},
		{&quictr.AddrError{Addrs: []netip.AddrPort{at}, Err: quictr.ErrNoProtocol}, "it speaks nothing that is offered here, which is moqt-18, moqt-16"},
		{wttr.ErrNoProtocol, "it speaks nothing that is offered here, which is moqt-18, moqt-16"},
		{&wttr.StatusError{Status: 404}, "the server has nothing at this path (HTTP status 404)"},
		{&model.SessionError{Code: model.InvalidPath, Remote: true}, `the server has nothing at the path "/p"`},
		{&model.SessionError{Code: model.InvalidAuthority, Reason: "not here", Remote: true}, `the server does not serve h:1 (it says "not here")`},
		{&model.SessionError{Code: model.Unauthorized, Remote: true}, "the server does not let us in"},
		{&model.SessionError{Code: model.ProtocolViolation, Reason: "odd", Remote: true}, `the server closes the session with PROTOCOL_VIOLATION (it says "odd")`},
		{&model.SessionError{Code: model.VersionNegotiationFailed, Reason: "only 7", Remote: true}, `it speaks none of the drafts that are offered here, which are moqt-18, moqt-16 (it says "only 7")`},
		{&net.OpError{Op: "write", Err: os.NewSyscallError("sendto", syscall.ENETUNREACH)}, "this machine has no way there: the network is unreachable"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "nothing is served there"},
		{&quictr.AddrError{Addrs: []netip.AddrPort{at}, Err: certificate}, "the certificate is not trusted"},
		{certificate, "the certificate is not trusted"},
	} {
		got := explain(to, []string{"moqt-18", "moqt-16"}, tt.err)
		if got.Error() != tt.want || !errors.Is(got, tt.err) {
			t.Errorf("%T: %v, want %s", tt.err, got, tt.want)
		}
	}
}
