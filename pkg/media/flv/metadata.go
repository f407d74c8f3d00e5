package flv

import "fmt"

// Metadata is what onMetaData says of a file, in its order (annex E.5). Well-known
// names are duration and filesize in seconds and bytes, width, height, framerate,
// videodatarate and audiodatarate in kbit/s, videocodecid, audiocodecid,
// audiosamplerate, stereo and encoder.
type Metadata []Property

// onMetaData is the name of the script data.
const onMetaData = "onMetaData"

// ParseMetadata returns the metadata in the data of a tag of script data. ok is
// false if the tag is another one than onMetaData. Errors are those of ParseScript,
// and a *FormatError if its value has no properties.
func ParseMetadata(data []byte) (m Metadata, ok bool, err error) {
	name, value, err := ParseScript(data)
	if err != nil || name != onMetaData {
		return nil, false, err
	}
	switch v := value.(type) {
	case Array:
		return Metadata(v), true, nil
	case Object:
		return Metadata(v), true, nil
	}
	return nil, false, &FormatError{int64(3 + len(name)), fmt.Sprintf("%s is a %T, must have properties", onMetaData, value)}
}

// AppendMetadata appends the data of a tag of script data with the metadata. Its
// length does not depend on the values of numbers.
func AppendMetadata(b []byte, m Metadata) ([]byte, error) {
	return AppendScript(b, onMetaData, Array(m))
}

// Get returns the value with the name, nil if there is none.
func (m Metadata) Get(name string) any {
	for _, p := range m {
		if p.Name == name {
			return p.Value
		}
	}
	return nil
}

// Number returns the number with the name, 0 if there is none.
func (m Metadata) Number(name string) float64 {
	n, _ := m.Get(name).(float64)
	return n
}

// Set gives the name a value, in its place or at the end.
func (m *Metadata) Set(name string, value any) {
	for i := range *m {
		if (*m)[i].Name == name {
			(*m)[i].Value = value
			return
		}
	}
	*m = append(*m, Property{name, value})
}
