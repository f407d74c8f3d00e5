package catalog

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"oxymoq/pkg/model"
)

// propCompression is MSF_COMPRESSION, of a track or of an object (section 11.3).
const propCompression uint64 = 0x78

// The values of MSF_COMPRESSION.
const (
	compressionNone uint64 = 0
	compressionGzip uint64 = 1
)

// ErrNoBase says that an object changes a catalog that has not come: the next
// group begins with a whole one.
var ErrNoBase = errors.New("catalog: a change without the catalog before it")

// Reader follows the catalog that the objects of one track make.
type Reader struct {
	name string
	// props are those of the track, which may say that all objects are compressed.
	props model.Properties
	msf   *state         // nil: none yet
	hang  map[string]any // nil: none yet
	// window is what was last decompressed in this group, which raw DEFLATE
	// refers to.
	window []byte
	next   uint64 // the object ID that continues the window
}

// NewReader returns a reader for the track of a name: NameMSF, NameHang or
// NameHangCompressed.
func NewReader(name string) (*Reader, error) {
	switch name {
	case NameMSF, NameHang, NameHangCompressed:
		return &Reader{name: name}, nil
	}
	return nil, fmt.Errorf("track %q is no catalog; there are %s, %s and %s", name, NameMSF, NameHang, NameHangCompressed)
}

// TrackProperties sets the properties of the track, as SUBSCRIBE_OK or PUBLISH
// brought them.
func (r *Reader) TrackProperties(p model.Properties) { r.props = p }

// Object takes the next object of the track: its ID within its group, its
// properties and its payload. It returns the catalog as it now stands. Object 0
// is a whole catalog, later ones change it; all objects of a group are to be
// given in order.
//
// After an error the catalog stands as before; it fails with ErrNoBase for a
// change of a catalog that has not come.
func (r *Reader) Object(id uint64, props model.Properties, payload []byte) (*Catalog, error) {
	if r.name == NameMSF {
		return r.objectMSF(id, props, payload)
	}
	return r.objectHang(id, payload)
}

func (r *Reader) objectMSF(id uint64, props model.Properties, payload []byte) (*Catalog, error) {
	b, err := r.unzip(props, payload)
	if err != nil {
		return nil, fmt.Errorf("MSF catalog: %w", err)
	}
	next, err := r.follow(id, b)
	if err != nil {
		return nil, err
	}
	c, err := next.catalog()
	if err != nil {
		return nil, fmt.Errorf("MSF catalog: %w", err)
	}
	r.msf = next
	return c, nil
}

// follow returns the state after an object. A whole catalog is taken wherever it
// stands, though it belongs in object 0 (a leniency).
func (r *Reader) follow(id uint64, b []byte) (*state, error) {
	if id > 0 {
		var next *state
		err := ErrNoBase
		if r.msf != nil {
			next, err = r.msf.apply(b)
		}
		if err == nil {
			return next, nil
		}
		if whole, other := parseState(b); other == nil {
			return whole, nil
		}
		if errors.Is(err, ErrNoBase) {
			return nil, err
		}
		return nil, fmt.Errorf("MSF catalog: %w", err)
	}
	next, err := parseState(b)
	if err != nil {
		return nil, fmt.Errorf("MSF catalog: %w", err)
	}
	return next, nil
}

// unzip decompresses an object as its property, or the track's, says.
func (r *Reader) unzip(props model.Properties, payload []byte) ([]byte, error) {
	how, ok := props.Int(propCompression)
	if !ok {
		how, _ = r.props.Int(propCompression)
	}
	switch how {
	case compressionNone:
		return payload, nil
	case compressionGzip:
		z, err := gzip.NewReader(bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		return limited(z)
	}
	return nil, fmt.Errorf("compression %d is not known", how)
}

// limited reads all, up to MaxSize.
func limited(from io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(from, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > MaxSize {
		return nil, errSize
	}
	return b, nil
}

func (r *Reader) objectHang(id uint64, payload []byte) (*Catalog, error) {
	var err error
	if r.name == NameHangCompressed {
		if payload, err = r.inflate(id, payload); err != nil {
			return nil, err
		}
	}
	if len(payload) > MaxSize {
		return nil, fmt.Errorf("hang catalog: %w", errSize)
	}
	var value map[string]any
	if err := json.Unmarshal(payload, &value); err != nil {
		return nil, fmt.Errorf("hang catalog: %w", err)
	}
	if id > 0 {
		if r.hang == nil {
			return nil, ErrNoBase
		}
		value = merge(r.hang, value)
	}
	whole, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("hang catalog: %w", err)
	}
	c, err := ParseHang(whole)
	if err != nil {
		return nil, err
	}
	r.hang = value
	return c, nil
}

// merge returns a value with a merge patch applied (RFC 7396 section 2). Neither
// is changed.
func merge(value, patch map[string]any) map[string]any {
	merged := maps.Clone(value)
	if merged == nil {
		merged = map[string]any{}
	}
	for k, p := range patch {
		switch p := p.(type) {
		case nil:
			delete(merged, k)
		case map[string]any:
			inner, _ := merged[k].(map[string]any)
			merged[k] = merge(inner, p)
		default:
			merged[k] = p
		}
	}
	return merged
}

// flushed is what a sync flush ends with, which is not sent, and an empty last
// block.
var flushed = []byte{0, 0, 0xFF, 0xFF, 1, 0, 0, 0xFF, 0xFF}

// maxWindow is how far back DEFLATE can refer, in bytes.
const maxWindow = 32 << 10

// inflate decompresses one object of a group, whose objects are one stream.
func (r *Reader) inflate(id uint64, payload []byte) ([]byte, error) {
	if id == 0 {
		r.window = nil
	} else if id != r.next {
		return nil, ErrNoBase
	}
	r.next = 0
	z := flate.NewReaderDict(io.MultiReader(bytes.NewReader(payload), bytes.NewReader(flushed)), r.window)
	b, err := limited(z)
	if err != nil {
		return nil, fmt.Errorf("hang catalog: %w", err)
	}
	r.window = append(r.window, b...)
	r.window = r.window[max(len(r.window)-maxWindow, 0):]
	r.next = id + 1
	return b, nil
}
