package quictr_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"testing"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

func TestErrorsAreTranslated(t *testing.T) {
	unknown := errors.New("unknown")
	protocolViolation := &quic.TransportError{ErrorCode: quic.ProtocolViolation, Remote: true}
	for _, row := range []struct {
		name      string
		got, want error
	}{
		{"nil", nil, nil},
		{"end of stream", io.EOF, io.EOF},
		{"stream", &quic.StreamError{ErrorCode: 1<<62 - 1, Remote: true}, &transport.StreamError{Code: 1<<62 - 1, Remote: true}},
		{"wrapped stream", fmt.Errorf("x: %w", &quic.StreamError{ErrorCode: 2}), &transport.StreamError{Code: 2}},
		{"close", &quic.ApplicationError{ErrorCode: 3, ErrorMessage: "why", Remote: true}, &transport.CloseError{Code: 3, Reason: "why", Remote: true}},
		{"transport's good-bye", &quic.TransportError{Remote: true}, &transport.CloseError{Remote: true}},
		{"idle", &quic.IdleTimeoutError{}, transport.ErrIdle},
		{"credit", &quic.StreamLimitReachedError{}, transport.ErrNoCredit},
		{"closed stream", quic.ErrStreamClosed, transport.ErrStreamClosed},
		{"deadline", fmt.Errorf("x: %w", os.ErrDeadlineExceeded), os.ErrDeadlineExceeded},
		{"socket closed", quic.ErrTransportClosed, &transport.CloseError{Reason: "socket closed"}},
		{"error of QUIC", protocolViolation, protocolViolation},
		{"unknown", unknown, unknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := quictr.Translate(row.got)
			if !reflect.DeepEqual(got, row.want) {
				t.Fatalf("got %v, want %v", got, row.want)
			}
		})
	}
}
