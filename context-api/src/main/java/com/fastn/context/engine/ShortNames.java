package com.fastn.context.engine;

import com.fastn.context.status.ContextPath;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The shortest unambiguous names of the contexts that a status speaks of: {@code alice/stdout-handler} for
 * {@code global.remote-access.alice@bv478gen.stdout-handler}.
 *
 * <p>Two names from the end, without the root's; a name is cut at its {@code @} where that leaves it unambiguous. Contexts
 * of one path are told apart by {@code #id}.
 */
final class ShortNames {
    private static final int NAMES = 2;
    // What is not told apart by so many names is told apart by the whole path, or by the id.
    private static final int MAX_NAMES = 16;

    private final Map<Long, ContextPath> paths = new LinkedHashMap<>();
    private final Map<Long, String> names = new HashMap<>();

    void add(long id, ContextPath path) {
        paths.putIfAbsent(id, path);
    }

    /** Decides the names of all that were added. */
    void decide() {
        Map<ContextPath, List<Long>> byPath = new LinkedHashMap<>();
        paths.forEach((id, path) ->
                byPath.computeIfAbsent(path, p -> new ArrayList<>()).add(id));
        Map<ContextPath, String> decided = new HashMap<>();
        List<ContextPath> open = new ArrayList<>(byPath.keySet());
        int depth = open.stream().mapToInt(ContextPath::depth).max().orElse(0);
        for (int names = NAMES; !open.isEmpty(); names = names < MAX_NAMES ? names + 1 : Math.max(depth, names + 1)) {
            boolean last = names >= depth;
            for (boolean cut : List.of(true, false)) {
                Map<String, List<ContextPath>> groups = new LinkedHashMap<>();
                for (ContextPath path : open) {
                    groups.computeIfAbsent(suffix(path, names, cut), s -> new ArrayList<>())
                            .add(path);
                }
                open = new ArrayList<>();
                for (Map.Entry<String, List<ContextPath>> group : groups.entrySet()) {
                    if (group.getValue().size() == 1 || (last && !cut)) {
                        group.getValue().forEach(path -> decided.put(path, group.getKey()));
                    } else {
                        open.addAll(group.getValue());
                    }
                }
            }
        }
        Set<String> seen = new HashSet<>();
        Set<String> ambiguous = new HashSet<>();
        for (String name : decided.values()) {
            // A name with a slash in it, or a child with the name of the root.
            if (!seen.add(name)) {
                ambiguous.add(name);
            }
        }
        byPath.forEach((path, ids) -> {
            String name = decided.getOrDefault(path, path.toString());
            for (Long id : ids) {
                this.names.put(id, ids.size() == 1 && !ambiguous.contains(name) ? name : name + "#" + id);
            }
        });
    }

    boolean knows(long id) {
        return names.containsKey(id);
    }

    String of(long id) {
        return names.getOrDefault(id, "#" + id);
    }

    private static String suffix(ContextPath path, int count, boolean cut) {
        ArrayDeque<String> last = new ArrayDeque<>();
        // The root's name is left out, but for the root itself.
        for (ContextPath at = path; at != null && last.size() < count; at = at.parent()) {
            if (at.parent() != null || last.isEmpty()) {
                last.addFirst(cut ? beforeAt(at.leaf()) : at.leaf());
            }
        }
        return String.join("/", last);
    }

    private static String beforeAt(String name) {
        int at = name.indexOf('@');
        return at > 0 ? name.substring(0, at) : name;
    }
}
