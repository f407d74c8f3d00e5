//go:build race

package relay

func init() { crowd, audience = 200, 8 } // the race detector makes each cost ten times as much
