package wire

import (
	"bytes"
	"testing"

	"oxymoq/pkg/model"
)

// No filter is no parameter, but an update has to say it: {0,0} means the same.
func TestNoFilterInDraft18(t *testing.T) {
	none := Params{Filter: model.Some(model.Filter{})}
	bare, err := AppendMessage(nil, toServer, subscribing(Params{}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := AppendMessage(nil, toServer, subscribing(none))
	if err != nil || !bytes.Equal(got, bare) {
		t.Errorf("SUBSCRIBE: %x, %v, want %x", got, err, bare)
	}
	got, err = AppendMessage(nil, updating(KindSubscribe), &RequestUpdate{RequestID: 2, Params: none})
	if err != nil {
		t.Fatal(err)
	}
	if diff := firstDifference(t, `
		02  Type
		0007  Length
		02  Request ID
		01  Number of Parameters
		21 03 03 00 00  SUBSCRIPTION_FILTER`, got); diff != "" {
		t.Errorf("REQUEST_UPDATE: %s", diff)
	}
}
