package flv

import (
	"encoding/binary"
	"fmt"
)

// cursor reads fields from the data of a tag. The first read that fails makes all
// later ones fail with the same error.
type cursor struct {
	b   []byte
	off int
	err error
}

// fail says what is wrong at the byte that comes next.
func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = &FormatError{int64(c.off), fmt.Sprintf(format, args...)}
	}
}

// bytes reads n bytes, which alias the data.
func (c *cursor) bytes(n int, what string) []byte {
	if c.err != nil {
		return nil
	}
	if n > len(c.b)-c.off {
		c.fail("%d bytes are left for %s, must be %d", len(c.b)-c.off, what, n)
		return nil
	}
	b := c.b[c.off : c.off+n : c.off+n]
	c.off += n
	return b
}

func (c *cursor) uint8(what string) byte {
	if b := c.bytes(1, what); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16(what string) int {
	if b := c.bytes(2, what); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) uint24(what string) uint32 {
	if b := c.bytes(3, what); b != nil {
		return uint24(b)
	}
	return 0
}

// int24 reads 24 bits with a sign.
func (c *cursor) int24(what string) int32 { return int32(c.uint24(what)<<8) >> 8 }

func (c *cursor) uint32(what string) uint32 {
	if b := c.bytes(4, what); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// rest reads what is left, nil if nothing is.
func (c *cursor) rest() []byte {
	if c.err != nil || c.off == len(c.b) {
		return nil
	}
	return c.bytes(len(c.b)-c.off, "the rest")
}
