package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"

	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// webTransport connects over WebTransport, where the header of the request says
// which drafts are offered. Servers of draft 14 know no such header: they take
// the session and agree on the draft in it, or refuse what they do not
// understand. Those are asked again without the header, if draft 14 is offered.
func webTransport(ctx context.Context, t Target, conf *tls.Config, opts Options, path quictr.Options) (transport.Conn, error) {
	offer := opts.offer()
	conn, err := offer.Dial(ctx, t.request(), conf, path)
	unnamed := session.Unnamed(opts.protocols())
	if err == nil || unnamed == "" || len(offer.Protocols) == 0 || !refusesOffer(err) {
		return conn, err
	}
	opts.log().Info("the server takes none of the drafts by name; asking without a name", "protocol", unnamed, "because", err)
	again, plainErr := wttr.Offer{Unnamed: unnamed, Strict: offer.Strict, Log: offer.Log}.Dial(ctx, t.request(), conf, path)
	if plainErr != nil {
		return nil, err // which says more
	}
	return again, nil
}

// offer returns what is offered over WebTransport. What needs no name is named
// beside others, for servers that choose it so, and never alone: moxygen takes
// no session that names nothing else (its issue 150).
func (o *Options) offer() wttr.Offer {
	protocols := o.protocols()
	offer := wttr.Offer{Protocols: protocols, Unnamed: session.Unnamed(protocols), Strict: o.Session.Strict, Log: o.Session.Log}
	switch {
	case len(protocols) > 1:
	case offer.Unnamed != "":
		offer.Protocols = nil
	case len(o.Protocols) == 1 && !offer.Strict:
		// A leniency. Who asks for one draft only knows what the server speaks, and some
		// that do, do not say so (moq-rs of draft 16, moxygen issue 173).
		offer.Unnamed = protocols[0]
	}
	return offer
}

// refusesOffer reports whether a server may have refused the session for what
// the header offers.
func refusesOffer(err error) bool {
	e, ok := errors.AsType[*wttr.StatusError](err)
	return ok && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotAcceptable)
}
