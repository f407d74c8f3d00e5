package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/varint"
)

// setup14 is a CLIENT_SETUP of draft 14 with these versions and no parameters.
func setup14(versions ...uint64) []byte {
	body := varint.QUIC.Append(nil, uint64(len(versions)))
	for _, v := range versions {
		body = varint.QUIC.Append(body, v)
	}
	body = append(body, 0)
	return append([]byte{0x20, byte(len(body) >> 8), byte(len(body))}, body...)
}

// version14 is the number of draft 14, as an integer of eight bytes (0xff00000e).
var version14 = []byte{0xc0, 0, 0, 0, 0xff, 0, 0, 0x0e}

// TestVersionsOfClients: under one protocol a client may speak many drafts. The
// server takes the one that it speaks wherever it stands, and says so in
// SERVER_SETUP, or closes with the code for that (draft 14, section 9.3.1).
func TestVersionsOfClients(t *testing.T) {
	many := make([]uint64, 1000)
	for i := range many {
		many[i] = 1<<62 - 1 - uint64(i)
	}
	for _, tt := range []struct {
		name string
		sent []byte
		code model.SessionCode // NoError: the session begins
		says string
	}{
		{"that one", setup14(0xff00000e), model.NoError, ""},
		{"first", setup14(0xff00000e, 0xff00000d), model.NoError, ""},
		{"last", setup14(0xff000007, 0xff00000d, 1, 0xff00000e), model.NoError, ""},
		{"twice", setup14(0xff00000e, 0xff00000e), model.NoError, ""},
		{"last of many", setup14(append(many, 0xff00000e)...), model.NoError, ""},
		{"not there", setup14(0xff00000d, 0xff000010, 1), model.VersionNegotiationFailed,
			"no version in common: of this protocol draft 14 is spoken here, and there draft 13, draft 16, 0x1"},
		{"not among many", setup14(many[:10]...), model.VersionNegotiationFailed,
			"no version in common: of this protocol draft 14 is spoken here, and there 0x3fffffffffffffff, 0x3ffffffffffffffe, " +
				"0x3ffffffffffffffd, 0x3ffffffffffffffc, 0x3ffffffffffffffb, 0x3ffffffffffffffa, 0x3ffffffffffffff9, 0x3ffffffffffffff8, 2 more"},
		{"none", setup14(), model.ProtocolViolation, ""},
		{"more than there are", []byte{0x20, 0, 2, 0x3f, 0}, model.ProtocolViolation, ""},
		{"cut off", []byte{0x20, 0, 3, 1, 0xc0, 0}, model.ProtocolViolation, ""},
		{"nothing", []byte{0x20, 0, 0}, model.ProtocolViolation, ""},
		{"as draft 18 begins, of which no length follows", []byte{0xaf, 0x00, 0, 0}, model.ControlMessageTimeout, ""},
		{"as drafts up to 10 begin", []byte{0x40, 0x40, 0, 1, 0xc0}, model.ProtocolViolation, ""},
		{"garbage of which more is due", bytes.Repeat([]byte{0xff}, 100), model.ControlMessageTimeout, ""},
		{"garbage", bytes.Repeat([]byte{0x3f}, 1<<15), model.ProtocolViolation, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, srv := memtr.Pair(memtr.WithProtocol(inBand))
				defer c.CloseWithError(0, "")
				type result struct {
					s   *Session
					err error
				}
				began := make(chan result, 1)
				go func() {
					s, err := Start(t.Context(), srv, Config{Role: Server, Draft: model.Draft14, Limits: Limits{SetupTimeout: 5 * time.Second}})
					began <- result{s, err}
				}()
				control := testkit.Must(c.OpenStream(t.Context()))(t)
				testkit.Must(control.Write(tt.sent))(t)
				got := <-began
				if tt.code != model.NoError {
					if got.err == nil {
						t.Fatal("the session has begun")
					}
					<-c.Context().Done()
					closed := testkit.ErrAs[*transport.CloseError](t, context.Cause(c.Context()))
					testkit.Equal(t, model.SessionCode(closed.Code), tt.code)
					if tt.says != "" {
						testkit.Equal(t, closed.Reason, tt.says)
					}
					return
				}
				testkit.NoErr(t, got.err)
				answer := make([]byte, 3+len(version14))
				testkit.Must(io.ReadFull(control, answer))(t)
				testkit.Equal(t, answer[:1], []byte{0x21})
				testkit.Equal(t, answer[3:], version14)
				got.s.Close(model.NoError, "")
				got.s.Wait()
			})
		})
	}
}

// TestVersionsOfServers: what the server selects must have been offered.
func TestVersionsOfServers(t *testing.T) {
	for _, tt := range []struct {
		name string
		sent []byte
		code model.SessionCode
	}{
		{"that one", append(append([]byte{0x21, 0, 9}, version14...), 0), model.NoError},
		{"another", []byte{0x21, 0, 9, 0xc0, 0, 0, 0, 0xff, 0, 0, 0x0d, 0}, model.VersionNegotiationFailed},
		{"none", []byte{0x21, 0, 0}, model.ProtocolViolation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, srv := memtr.Pair(memtr.WithProtocol(inBand))
				defer srv.CloseWithError(0, "")
				go func() {
					control, err := srv.AcceptStream(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					offer := make([]byte, 4+len(version14))
					if _, err := io.ReadFull(control, offer); err != nil || offer[0] != 0x20 || offer[3] != 1 || !bytes.Equal(offer[4:], version14) {
						t.Errorf("the client begins with %x, %v", offer, err)
					}
					_, _ = control.Write(tt.sent) // the client may have gone
				}()
				s, err := Start(t.Context(), c, Config{Draft: model.Draft14, Limits: Limits{SetupTimeout: 5 * time.Second}})
				if tt.code == model.NoError {
					testkit.NoErr(t, err)
					s.Close(model.NoError, "")
					s.Wait()
					return
				}
				if e, ok := errors.AsType[*model.SessionError](err); !ok || e.Code != tt.code || e.Remote {
					t.Errorf("Start returned %v", err)
				}
				<-srv.Context().Done()
				closed := testkit.ErrAs[*transport.CloseError](t, context.Cause(srv.Context()))
				testkit.Equal(t, model.SessionCode(closed.Code), tt.code)
			})
		})
	}
}
