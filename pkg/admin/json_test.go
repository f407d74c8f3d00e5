package admin

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
)

// checkJSON checks an answer against the schema of its type in openapi.json.
func checkJSON(t *testing.T, body string, of any) {
	t.Helper()
	var doc struct {
		Components struct{ Schemas map[string]object }
	}
	testkit.NoErr(t, json.Unmarshal(description, &doc))
	var v any
	testkit.NoErr(t, json.Unmarshal([]byte(body), &v))
	name := reflect.TypeOf(of).Name()
	c := checker{t, doc.Components.Schemas}
	c.check(name, object{"$ref": "#/components/schemas/" + strings.ToUpper(name[:1]) + name[1:]}, v)
}

type checker struct {
	t       *testing.T
	schemas map[string]object
}

func (c checker) check(at string, schema object, v any) {
	c.t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = c.schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		if schema == nil {
			c.t.Fatalf("%s: there is no schema %s", at, ref)
		}
	}
	if either, ok := schema["anyOf"].([]any); ok {
		if v != nil {
			c.check(at, either[0].(object), v)
		}
		return
	}
	kind := schema["type"]
	if either, ok := kind.([]any); ok {
		if v == nil {
			return
		}
		kind = either[0]
	}
	switch kind {
	case "object":
		o, ok := v.(object)
		if !ok {
			c.t.Fatalf("%s is %T, not an object", at, v)
		}
		c.object(at, schema, o)
	case "array":
		list, ok := v.([]any)
		if !ok {
			c.t.Fatalf("%s is %T, not an array", at, v)
		}
		for _, item := range list {
			c.check(at+"[]", schema["items"].(object), item)
		}
	case "string":
		if _, ok := v.(string); !ok {
			c.t.Fatalf("%s is %T, not a string", at, v)
		}
	case "integer", "number":
		if _, ok := v.(float64); !ok {
			c.t.Fatalf("%s is %T, not a number", at, v)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			c.t.Fatalf("%s is %T, not a boolean", at, v)
		}
	default:
		c.t.Fatalf("%s has the schema %v", at, schema)
	}
}

func (c checker) object(at string, schema, o object) {
	c.t.Helper()
	known, _ := schema["properties"].(object)
	others, _ := schema["additionalProperties"].(object)
	for name, v := range o {
		switch {
		case known[name] != nil:
			c.check(at+"."+name, known[name].(object), v)
		case others != nil:
			c.check(at+"."+name, others, v)
		default:
			c.t.Fatalf("%s.%s is not described", at, name)
		}
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := o[name.(string)]; !ok {
			c.t.Fatalf("%s has no %s", at, name)
		}
	}
}
