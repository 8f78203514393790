// Writes the JSON Schema of CloudNativePG's Cluster from the types of its Go module, by reflection.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	v1 "github.com/cloudnative-pg/cloudnative-pg/api/v1"
)

var definitions = map[string]any{}

func schema(t reflect.Type) map[string]any {
	if t.Kind() == reflect.Pointer {
		return schema(t.Elem())
	}
	if strings.Contains(t.PkgPath(), "cloudnative-pg") && t.Kind() == reflect.Struct {
		name := t.Name()
		if _, known := definitions[name]; !known {
			properties := map[string]any{}
			definition := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
			definitions[name] = definition
			fields(t, properties)
		}
		return map[string]any{"$ref": "#/definitions/" + name}
	}
	if t.PkgPath() != "" && t.Kind() == reflect.Struct {
		return map[string]any{}
	}
	switch t.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schema(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schema(t.Elem())}
	}
	return map[string]any{}
}

func fields(t reflect.Type, properties map[string]any) {
	for i := 0; i < t.NumField(); i++ {
		field := t.Field(i)
		tag := field.Tag.Get("json")
		name := strings.Split(tag, ",")[0]
		if field.Anonymous && name == "" {
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			fields(inner, properties)
		} else if name != "" && name != "-" {
			properties[name] = schema(field.Type)
		}
	}
}

func main() {
	schema(reflect.TypeOf(v1.Cluster{}))
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"definitions": definitions}); err != nil {
		panic(err)
	}
}
