package memtr_test

import (
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/transport/transporttest"
)

func TestConformance(t *testing.T) {
	for _, delay := range []time.Duration{0, 5 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			for _, c := range transporttest.Cases() {
				t.Run(c.Name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						client, server := memtr.Pair(
							memtr.WithDelay(delay),
							memtr.WithStreams(transporttest.Streams, transporttest.Streams),
							memtr.WithWindow(transporttest.Window))
						c.Run(t, client, server)
					})
				})
			}
		})
	}
}
