package wire_test

import (
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

func Example() {
	ctx := wire.Context{Draft: model.Draft18, Stream: wire.RequestStream, Receiver: wire.Server}
	b, err := wire.AppendMessage(nil, ctx, &wire.Subscribe{
		RequestID: 0,
		Track:     model.FullTrackName{Namespace: model.Namespace{"live"}, Name: "video"},
		Params:    wire.Params{Filter: model.Some(model.NextObject)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x\n", b)

	const header = 3 // one byte of type, two of length
	m, err := wire.ParseMessage(ctx, 0x03, b[header:])
	fmt.Println(m.(*wire.Subscribe).Track, err)
	// Output:
	// 0300110001046c69766505766964656f01210102
	// live--video <nil>
}
