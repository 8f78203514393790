import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.lang.reflect.*;
import java.util.*;

/** Writes JSON Schemas of Strimzi's resources from the classes of its package io.strimzi:api, by reflection. */
public class StrimziSchema {
    static final Map<String, Object> DEFINITIONS = new TreeMap<>();

    static Map<String, Object> of(String key, Object value) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(key, value);
        return map;
    }

    static Map<String, Object> schema(Type type) {
        if (type instanceof ParameterizedType p) {
            Class<?> raw = (Class<?>) p.getRawType();
            if (Collection.class.isAssignableFrom(raw)) {
                Map<String, Object> list = of("type", "array");
                list.put("items", schema(p.getActualTypeArguments()[0]));
                return list;
            }
            if (Map.class.isAssignableFrom(raw)) {
                Map<String, Object> map = of("type", "object");
                map.put("additionalProperties", schema(p.getActualTypeArguments()[1]));
                return map;
            }
            return schema(raw);
        }
        if (!(type instanceof Class<?> c)) return new LinkedHashMap<>();
        if (c == String.class) return of("type", "string");
        if (c == boolean.class || c == Boolean.class) return of("type", "boolean");
        if (c == int.class || c == Integer.class || c == long.class || c == Long.class) return of("type", "integer");
        if (c == double.class || c == Double.class || c == float.class || c == Float.class) return of("type", "number");
        if (c == Object.class || !c.getName().startsWith("io.strimzi")) return new LinkedHashMap<>();
        if (c.isEnum()) {
            List<Object> values = new ArrayList<>();
            ObjectMapper mapper = new ObjectMapper();
            for (Object one : c.getEnumConstants()) values.add(mapper.convertValue(one, String.class));
            return of("enum", values);
        }
        define(c);
        return of("$ref", "#/definitions/" + c.getSimpleName());
    }

    static void define(Class<?> c) {
        String name = c.getSimpleName();
        if (DEFINITIONS.containsKey(name)) return;
        Map<String, Object> definition = of("type", "object");
        DEFINITIONS.put(name, definition);
        JsonSubTypes subtypes = c.getAnnotation(JsonSubTypes.class);
        if (subtypes != null && Modifier.isAbstract(c.getModifiers())) {
            List<Object> any = new ArrayList<>();
            for (JsonSubTypes.Type one : subtypes.value()) {
                Map<String, Object> both = new LinkedHashMap<>();
                both.put("allOf", List.of(schema(one.value()), of("properties", of("type", of("const", one.name())))));
                any.add(both);
            }
            DEFINITIONS.put(name, of("anyOf", any));
            return;
        }
        Map<String, Object> properties = new TreeMap<>();
        for (Method method : c.getMethods()) {
            String getter = method.getName();
            if (method.getParameterCount() != 0 || Modifier.isStatic(method.getModifiers())) continue;
            if (!getter.startsWith("get") && !getter.startsWith("is")) continue;
            if (method.isAnnotationPresent(JsonIgnore.class) || method.isBridge() || getter.equals("getClass")) continue;
            String bare = getter.startsWith("get") ? getter.substring(3) : getter.substring(2);
            if (bare.isEmpty() || bare.equals("AdditionalProperties")) continue;
            JsonProperty given = method.getAnnotation(JsonProperty.class);
            String property = given != null && !given.value().isEmpty()
                ? given.value() : Character.toLowerCase(bare.charAt(0)) + bare.substring(1);
            try {
                Class<?> holder = c;
                while (holder != null) {
                    try {
                        Field field = holder.getDeclaredField(Character.toLowerCase(bare.charAt(0)) + bare.substring(1));
                        JsonProperty named = field.getAnnotation(JsonProperty.class);
                        if (named != null && !named.value().isEmpty()) property = named.value();
                        break;
                    } catch (NoSuchFieldException absent) { holder = holder.getSuperclass(); }
                }
            } catch (SecurityException closed) { throw new IllegalStateException(closed); }
            properties.put(property, schema(method.getGenericReturnType()));
        }
        definition.put("properties", properties);
        definition.put("additionalProperties", false);
    }

    public static void main(String[] names) throws Exception {
        for (String name : names) define(Class.forName(name));
        System.out.println(new ObjectMapper().writeValueAsString(of("definitions", DEFINITIONS)));
    }
}
