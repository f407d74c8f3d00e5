package client

// LowLimit is a MaxAnswer that a test reaches soon.
const LowLimit = 1 << 16

// SetLowLimit has answers be that small.
func SetLowLimit(c *Client) { c.limit = LowLimit }
