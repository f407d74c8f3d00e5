package wire

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// codepoint is a line of one of the draft's tables.
type codepoint struct {
	Name, Value, Stream, Scope string
	Reserved                   bool
}

func (c codepoint) number(t *testing.T) uint64 {
	v, err := strconv.ParseUint(c.Value, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func loadCodepoints(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(vectorsDir(t, "codepoints-draft18"), name+".json"))
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

type codepoints struct{ Entries []codepoint }

func TestMessageTypesAreThoseOfTheDraft(t *testing.T) {
	var table codepoints
	loadCodepoints(t, "message_types", &table)
	defined := 0
	for _, c := range table.Entries {
		row := draft18.messageOfType(c.number(t))
		switch {
		case c.Reserved || c.Name == "PUBLISH_OK": // in the table, but an alias: section 10.5
			if row != nil {
				t.Errorf("%s: reserved, but read as %s", c.Name, row.name)
			}
			continue
		case row == nil:
			t.Errorf("%s (%s) is not defined", c.Name, c.Value)
			continue
		}
		defined++
		var on streamSet
		if strings.Contains(c.Stream, "Control") {
			on |= onControl
		}
		if strings.Contains(c.Stream, "Request") {
			on |= onRequest
		}
		opens := strings.Contains(c.Stream, "First")
		if row.name != c.Name || row.on != on || row.opens != opens || OpensRequest(model.Draft18, row.kind) != opens {
			t.Errorf("%s: have %+v", c.Name, row)
		}
		if MessageName(model.Draft18, row.typ) != c.Name || row.kind.String() != c.Name {
			t.Errorf("%s is called %s and %v", c.Name, MessageName(model.Draft18, row.typ), row.kind)
		}
	}
	if defined != len(draft18.messages) {
		t.Errorf("%d messages, the draft has %d", len(draft18.messages), defined)
	}
	if got := MessageName(model.Draft18, 0x1e); got != "message 0x1e" {
		t.Errorf("0x1E is called %s", got)
	}
}

func TestParameterTypesAreThoseOfTheDraft(t *testing.T) {
	var tables struct {
		SetupOptions      codepoints `json:"setup_options"`
		MessageParameters codepoints `json:"message_parameters"`
	}
	loadCodepoints(t, "parameter_types", &tables)
	for _, c := range tables.SetupOptions.Entries {
		if got := draft18.options[c.number(t)]; got != c.Name {
			t.Errorf("option %s is called %q", c.Name, got)
		}
	}
	for _, c := range tables.MessageParameters.Entries {
		if row := draft18.paramOfType(c.number(t)); row == nil || row.name != c.Name {
			t.Errorf("parameter %s: have %+v", c.Name, row)
		}
	}
	if len(tables.SetupOptions.Entries) != len(draft18.options) || len(tables.MessageParameters.Entries) != len(draft18.params) {
		t.Error("the tables have other numbers of entries")
	}
}

func TestPropertyTypesAreThoseOfTheDraft(t *testing.T) {
	var table codepoints
	loadCodepoints(t, "property_types", &table)
	want := map[uint64]string{
		model.PropObjectDeliveryTimeout: "OBJECT_DELIVERY_TIMEOUT", model.PropMaxCacheDuration: "MAX_CACHE_DURATION",
		model.PropSubgroupDeliveryTimeout: "SUBGROUP_DELIVERY_TIMEOUT", model.PropImmutable: "IMMUTABLE_PROPERTIES",
		model.PropDefaultPriority: "DEFAULT_PUBLISHER_PRIORITY", model.PropDefaultGroupOrder: "DEFAULT_PUBLISHER_GROUP_ORDER",
		model.PropDynamicGroups: "DYNAMIC_GROUPS", model.PropPriorGroupIDGap: "PRIOR_GROUP_ID_GAP", model.PropPriorObjectIDGap: "PRIOR_OBJECT_ID_GAP",
	}
	for _, c := range table.Entries {
		if got := want[c.number(t)]; got != c.Name {
			t.Errorf("property %s is called %q", c.Name, got)
		}
	}
	if len(table.Entries) != len(want) {
		t.Errorf("%d properties, the draft has %d", len(want), len(table.Entries))
	}
}

func TestCodesAreThoseOfTheDraft(t *testing.T) {
	for file, name := range map[string]func(uint64) string{
		"termination_codes":   func(v uint64) string { return SessionCodeFromWire(model.Draft18, v).String() },
		"request_error_codes": func(v uint64) string { return RequestCodeFromWire(model.Draft18, KindSubscribe, v).String() },
		"publish_done_codes":  func(v uint64) string { return DoneCodeFromWire(model.Draft18, v).String() },
		"stream_reset_codes":  func(v uint64) string { return ResetCodeFromWire(model.Draft18, v).String() },
	} {
		var table codepoints
		loadCodepoints(t, file, &table)
		known := map[uint64]bool{}
		for _, c := range table.Entries {
			v := c.number(t)
			known[v] = true
			if got := name(v); got != c.Name {
				t.Errorf("%s: 0x%x is %s, want %s", file, v, got, c.Name)
			}
		}
		for v := range uint64(0x80) {
			if got := name(v); !known[v] && got != fmt.Sprintf("0x%x", v) && got != "INTERNAL_ERROR" {
				t.Errorf("%s: 0x%x, which the draft does not define, is %s", file, v, got)
			}
		}
	}
}

func TestIntegersAreThoseOfTheDraft(t *testing.T) {
	type list struct {
		Entries []struct{ Encoding, Value string }
	}
	var tables struct {
		Vectors, Boundaries, Truncated list
		NonMinimal                     list `json:"non_minimal"`
	}
	loadCodepoints(t, "varint", &tables)
	for _, e := range slices.Concat(tables.Vectors.Entries, tables.Boundaries.Entries, tables.NonMinimal.Entries) {
		got := readInteger(model.Draft18, annotated(t, e.Encoding))
		if got.err != nil || got.decoded["value"] != e.Value {
			t.Errorf("%s: %v, %v; want %s", e.Encoding, got.decoded, got.err, e.Value)
		}
	}
	for _, e := range tables.Boundaries.Entries {
		if got := readInteger(model.Draft18, annotated(t, e.Encoding)); hexOf(got.again) != e.Encoding {
			t.Errorf("%s is written as %x", e.Value, got.again)
		}
	}
	for _, e := range tables.Truncated.Entries {
		if got := readInteger(model.Draft18, annotated(t, e.Encoding)); got.err != varint.ErrTruncated {
			t.Errorf("%q: %v, want a wish for more", e.Encoding, got.err)
		}
	}
}
