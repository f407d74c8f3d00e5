package admin

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/observe"
)

var update = flag.Bool("update", false, "write openapi.json, docs/metrics.md and what else is made of tables anew")

// written compares a file with what it should have, or writes it.
func written(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		testkit.NoErr(t, os.WriteFile(file, []byte(want), 0o644))
	}
	if got := string(testkit.Must(os.ReadFile(file))(t)); got != want {
		t.Errorf("%s is not what the tables say; run: go test ./pkg/admin -update", file)
		testkit.Equal(t, got, want)
	}
}

// object is a JSON object.
type object = map[string]any

// TestDescription: openapi.json describes exactly the routes and the types.
func TestDescription(t *testing.T) {
	s := &schemas{known: object{}, docs: comments(t, ".", "../observe")}
	paths := object{}
	for _, r := range routes {
		path := strings.TrimSuffix(r.path, "{$}")
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(r.method)] = s.operation(r)
	}
	s.of(reflect.TypeFor[observe.Event]())
	s.of(reflect.TypeFor[Skipped]())
	doc := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "oxymoq admin API", "version": "1",
			"description": "What a relay does and what can be done to it. Durations are numbers of nanoseconds in fields whose names end in _ns; " +
				"times are RFC 3339. New fields may come at any time. Written by go test ./pkg/admin -update.",
		},
		"paths": paths,
		"components": object{
			"schemas": s.known,
			"securitySchemes": object{"token": object{
				"type": "http", "scheme": "bearer",
				"description": "A line of the file that -admin_token names. Not needed at the socket in the file system, nor to read at a loopback address without -admin_token.",
			}},
		},
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	testkit.NoErr(t, err)
	written(t, "openapi.json", string(out)+"\n")
}

// operation describes a route.
func (s *schemas) operation(r route) object {
	responses := object{}
	fail := func(status int) {
		o := object{"description": http.StatusText(status)}
		if status >= 400 {
			o["content"] = object{"application/json": object{"schema": s.of(reflect.TypeFor[Problem]())}}
		}
		responses[strconv.Itoa(status)] = o
	}
	for _, status := range r.fails {
		fail(status)
	}
	fail(http.StatusMisdirectedRequest)
	content := object{}
	if r.gives != nil {
		content["application/json"] = object{"schema": s.of(reflect.TypeOf(r.gives))}
	}
	for _, kind := range r.types {
		content[kind] = object{"schema": object{"type": "string"}}
	}
	if r.nothing {
		responses["204"] = object{"description": "It was done."}
	} else {
		responses["200"] = object{"description": "The answer.", "content": content}
	}
	op := object{"summary": r.summary, "responses": responses}
	if r.scope > Nothing {
		fail(http.StatusUnauthorized)
		fail(http.StatusForbidden)
		op["security"] = []any{object{"token": []any{r.scope.String()}}}
	}
	if r.takes != nil {
		fail(http.StatusRequestEntityTooLarge)
		op["requestBody"] = object{"content": object{"application/json": object{"schema": s.of(reflect.TypeOf(r.takes))}}}
	}
	var parameters []any
	add := func(in string, p parameter, required bool) {
		parameters = append(parameters, object{"name": p.name, "in": in, "description": p.what, "required": required, "schema": object{"type": "string"}})
	}
	for segment := range strings.SplitSeq(r.path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok && name != "$}" {
			add("path", parameter{strings.TrimSuffix(name, "}"), "as it stands in the state"}, true)
		}
	}
	for _, p := range r.query {
		add("query", p, false)
	}
	for _, p := range r.header {
		add("header", p, false)
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	return op
}

// schemas are those of the types, by their names.
type schemas struct {
	known object
	docs  map[string]string // comments of types and of fields, as "Type.Field"
}

// of returns the schema of a type, a reference if it is a struct.
func (s *schemas) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[time.Duration]():
		return object{"type": "integer", "format": "int64", "description": "nanoseconds"}
	case reflect.TypeFor[[]byte]():
		return object{"type": []any{"string", "null"}, "contentEncoding": "base64"}
	case reflect.TypeFor[observe.DropCounts]():
		reasons := object{}
		for r := range observe.DropReasons {
			reasons[observe.DropReason(r).Label()] = object{"type": "integer", "description": observe.DropReason(r).String()}
		}
		return object{"type": "object", "properties": reasons, "description": "what is not zero"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return object{"anyOf": []any{s.of(t.Elem()), object{"type": "null"}}}
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int64, reflect.Uint8, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Struct:
		name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
		if s.known[name] == nil {
			s.known[name] = object{} // it may hold itself
			properties, required := object{}, []any{}
			s.fields(t, properties, &required)
			s.known[name] = object{"type": "object", "properties": properties, "required": required}
			s.known[name].(object)["description"] = s.docs[t.Name()]
		}
		return object{"$ref": "#/components/schemas/" + name}
	}
	panic(fmt.Sprintf("there is no schema for %v", t))
}

// fields adds those of a struct, those of embedded ones included.
func (s *schemas) fields(t reflect.Type, properties object, required *[]any) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			s.fields(f.Type, properties, required)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			panic(fmt.Sprintf("%v.%s has no name in JSON", t, f.Name))
		}
		schema := s.of(f.Type)
		if doc := s.docs[t.Name()+"."+f.Name]; doc != "" {
			schema["description"] = doc
		}
		properties[name] = schema
		if options == "" {
			*required = append(*required, name)
		}
	}
}

// comments are those of the types and fields of packages.
func comments(t *testing.T, dirs ...string) map[string]string {
	docs := map[string]string{}
	text := func(groups ...*ast.CommentGroup) string {
		for _, g := range groups {
			if words := strings.Join(strings.Fields(g.Text()), " "); words != "" {
				return words
			}
		}
		return ""
	}
	for _, dir := range dirs {
		for _, file := range testkit.Must(filepath.Glob(filepath.Join(dir, "*.go")))(t) {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			testkit.NoErr(t, err)
			for _, d := range parsed.Decls {
				group, ok := d.(*ast.GenDecl)
				if !ok {
					continue
				}
				for _, spec := range group.Specs {
					named, ok := spec.(*ast.TypeSpec)
					if !ok {
						continue
					}
					docs[named.Name.Name] = text(named.Doc, group.Doc)
					structure, ok := named.Type.(*ast.StructType)
					if !ok {
						continue
					}
					for _, f := range structure.Fields.List {
						for _, name := range f.Names {
							docs[named.Name.Name+"."+name.Name] = text(f.Doc, f.Comment)
						}
					}
				}
			}
		}
	}
	return docs
}
