package com.fastn.status;

import com.fastn.context.status.LockType;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeWaits;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** {@link NodeWaits} as they travel from node to node. */
final class NodeWaitsJson {
    private static final int SCHEMA = 1;
    private static final int LONGEST_TEXT = 8_192;
    private static final long MOST_UNITS = Integer.MAX_VALUE;
    /** The other half of an answer is for those who wait. */
    private static final int MOST_HELD_BYTES = Answers.MOST_WIRE_BYTES / 2;

    private NodeWaitsJson() {}

    /** Writes as much as one node may send to another; what has no room is left out, which the answer says. */
    static JsonObject write(NodeWaits waits) {
        NodeWaits fitting = withHeldThatFits(waits);
        JsonObject json = json(fitting);
        while (json.toBuffer().length() > Answers.MOST_WIRE_BYTES
                && !fitting.resources().isEmpty()) {
            List<NodeWaits.Resource> half =
                    fitting.resources().subList(0, fitting.resources().size() / 2);
            fitting = new NodeWaits(
                    fitting.node(), half, membersOf(half, fitting.contexts()), true, fitting.sharedHeld());
            json = json(fitting);
        }
        return json;
    }

    /** All of them or none: of some it would follow that the others are not held. */
    private static NodeWaits withHeldThatFits(NodeWaits waits) {
        List<String> held = waits.sharedHeld();
        boolean fits = held == null
                || (held.stream().allMatch(NodeWaitsJson::isText)
                        && new JsonArray(new ArrayList<>(held)).toBuffer().length() <= MOST_HELD_BYTES);
        return fits ? waits : new NodeWaits(waits.node(), waits.resources(), waits.contexts(), waits.cut(), null);
    }

    private static List<NodeWaits.Member> membersOf(List<NodeWaits.Resource> some, List<NodeWaits.Member> all) {
        return all.stream()
                .filter(member -> some.stream()
                        .anyMatch(resource -> resource.holds().stream()
                                        .anyMatch(hold -> hold.contextId() == member.contextId())
                                || resource.waits().stream().anyMatch(wait -> wait.contextId() == member.contextId())))
                .toList();
    }

    private static JsonObject json(NodeWaits waits) {
        JsonArray contexts = new JsonArray();
        for (NodeWaits.Member member : waits.contexts()) {
            contexts.add(new JsonObject()
                    .put("id", member.contextId())
                    .put("path", member.path())
                    .put("label", member.label())
                    .put("short_name", member.shortName())
                    .put("one_branch", member.oneBranch()));
        }
        JsonArray resources = new JsonArray();
        for (NodeWaits.Resource resource : waits.resources()) {
            resources.add(json(resource));
        }
        JsonObject written = new JsonObject()
                .put("kind", "node_waits")
                .put("schema", SCHEMA)
                .put("min_schema", SCHEMA)
                .put(
                        "node",
                        new JsonObject()
                                .put("alias", waits.node().alias())
                                .put("incarnation", waits.node().incarnation()))
                .put("cut", waits.cut())
                .put("contexts", contexts)
                .put("resources", resources);
        if (waits.sharedHeld() != null) {
            written.put("shared_held", new JsonArray(new ArrayList<>(waits.sharedHeld())));
        }
        return written;
    }

    private static JsonObject json(NodeWaits.Resource resource) {
        JsonArray holds = new JsonArray();
        for (NodeWaits.Hold hold : resource.holds()) {
            holds.add(new JsonObject()
                    .put("number", hold.number())
                    .put("context_id", hold.contextId())
                    .put("units", hold.units())
                    .put("held_ms", hold.held().toMillis())
                    .put("scoped", hold.scoped()));
        }
        JsonArray waits = new JsonArray();
        for (NodeWaits.Wait wait : resource.waits()) {
            JsonObject written = new JsonObject()
                    .put("number", wait.number())
                    .put("context_id", wait.contextId())
                    .put("units", wait.units())
                    .put("waited_ms", wait.waited().toMillis());
            if (wait.timesOutIn() != null) {
                written.put("times_out_in_ms", wait.timesOutIn().toMillis());
            }
            waits.add(written.put("inside", new JsonArray(new ArrayList<>(wait.inside()))));
        }
        return new JsonObject()
                .put("kind", resource.kind().name().toLowerCase(Locale.ROOT))
                .put("key", resource.key())
                .put("name", resource.name())
                .put("lock_id", resource.lockId())
                .put("lock_type", resource.type().text())
                .put("units", resource.units())
                .put("holds", holds)
                .put("waits", waits);
    }

    /**
     * Reads an answer. It may come from anybody who reaches the bus, so nothing in it is believed unseen.
     *
     * @param bytes the answer
     * @return what it says
     * @throws IllegalArgumentException if it is none
     */
    static NodeWaits read(Buffer bytes) {
        if (bytes.length() > Answers.MOST_WIRE_BYTES) {
            throw new IllegalArgumentException("it is too large");
        }
        try {
            JsonObject json = new JsonObject(bytes);
            if (number(json, "min_schema") > SCHEMA) {
                throw new IllegalArgumentException("it is of a later version");
            }
            JsonObject node = object(json.getValue("node"));
            return new NodeWaits(
                    new NodeIdentity(text(node, "alias"), text(node, "incarnation")),
                    list(json, "resources", NodeWaitsJson::resource),
                    list(json, "contexts", NodeWaitsJson::member),
                    Boolean.TRUE.equals(json.getValue("cut")),
                    sharedHeld(json));
        } catch (DecodeException | ClassCastException e) {
            throw new IllegalArgumentException("it is malformed", e);
        } catch (StackOverflowError e) {
            throw new IllegalArgumentException("it is nested too deep");
        }
    }

    /** What is missing is not known, which is another thing than none. */
    private static @Nullable List<String> sharedHeld(JsonObject json) {
        if (json.getValue("shared_held") == null) {
            return null;
        }
        List<String> held = new ArrayList<>();
        for (Object key : array(json, "shared_held")) {
            if (!(key instanceof String text && isText(text))) {
                throw new IllegalArgumentException("\"shared_held\" has something that is no key");
            }
            held.add(text);
        }
        return held;
    }

    private static NodeWaits.Member member(JsonObject json) {
        return new NodeWaits.Member(
                number(json, "id"),
                text(json, "path"),
                text(json, "label"),
                text(json, "short_name"),
                Boolean.TRUE.equals(json.getValue("one_branch")));
    }

    private static NodeWaits.Resource resource(JsonObject json) {
        return new NodeWaits.Resource(
                one(
                        NodeWaits.Kind.values(),
                        text(json, "kind"),
                        kind -> kind.name().toLowerCase(Locale.ROOT)),
                text(json, "key"),
                text(json, "name"),
                number(json, "lock_id"),
                one(LockType.values(), text(json, "lock_type"), LockType::text),
                units(json),
                list(json, "holds", NodeWaitsJson::hold),
                list(json, "waits", NodeWaitsJson::wait));
    }

    private static NodeWaits.Hold hold(JsonObject json) {
        return new NodeWaits.Hold(
                number(json, "number"),
                number(json, "context_id"),
                units(json),
                Duration.ofMillis(number(json, "held_ms")),
                Boolean.TRUE.equals(json.getValue("scoped")));
    }

    private static NodeWaits.Wait wait(JsonObject json) {
        List<Long> inside = new ArrayList<>();
        for (Object hold : array(json, "inside")) {
            if (!(hold instanceof Number number)) {
                throw new IllegalArgumentException("\"inside\" has something that is no number");
            }
            inside.add(number.longValue());
        }
        return new NodeWaits.Wait(
                number(json, "number"),
                number(json, "context_id"),
                units(json),
                Duration.ofMillis(number(json, "waited_ms")),
                json.getValue("times_out_in_ms") == null ? null : Duration.ofMillis(number(json, "times_out_in_ms")),
                inside);
    }

    private static <T> T one(T[] known, String text, Function<T, String> written) {
        for (T each : known) {
            if (written.apply(each).equals(text)) {
                return each;
            }
        }
        throw new IllegalArgumentException("it has a kind that is not known");
    }

    private static <T> List<T> list(JsonObject json, String key, Function<JsonObject, T> read) {
        List<T> items = new ArrayList<>();
        for (Object item : array(json, key)) {
            items.add(read.apply(object(item)));
        }
        return items;
    }

    /** A list that is missing is empty, and so is one that is null. */
    private static JsonArray array(JsonObject json, String key) {
        JsonArray items = json.getJsonArray(key);
        return items == null ? new JsonArray() : items;
    }

    private static JsonObject object(@Nullable Object value) {
        if (value instanceof JsonObject object) {
            return object;
        }
        throw new IllegalArgumentException("it has something that is no object");
    }

    private static String text(JsonObject json, String key) {
        if (json.getValue(key) instanceof String text && isText(text)) {
            return text;
        }
        throw new IllegalArgumentException("\"" + key + "\" is missing, empty or too long");
    }

    private static boolean isText(String text) {
        return !text.isEmpty() && text.length() <= LONGEST_TEXT;
    }

    private static long number(JsonObject json, String key) {
        if (json.getValue(key) instanceof Number number && number.longValue() >= 0) {
            return number.longValue();
        }
        throw new IllegalArgumentException("\"" + key + "\" is no number from 0 on");
    }

    private static long units(JsonObject json) {
        return Math.max(1, Math.min(MOST_UNITS, number(json, "units")));
    }
}
