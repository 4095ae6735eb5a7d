package com.fastn.context.engine;

import com.fastn.context.status.ContextPath;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The shortest unambiguous names of the contexts that a status speaks of: {@code alice/stdout-handler} for
 * {@code global.remote-access.alice@bv478gen.stdout-handler}.
 *
 * <p>Two names from the end, without the root's; a name is cut at its {@code @} where that leaves it unambiguous. Contexts
 * of one path are told apart by {@code #id}.
 */
final class ShortNames {
    private static final int NAMES = 2;

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
        for (int names = NAMES; !open.isEmpty(); names++) {
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
        byPath.forEach((path, ids) -> {
            String name = decided.getOrDefault(path, path.toString());
            for (Long id : ids) {
                this.names.put(id, ids.size() == 1 ? name : name + "#" + id);
            }
        });
    }

    String of(long id) {
        return names.getOrDefault(id, "#" + id);
    }

    private static String suffix(ContextPath path, int count, boolean cut) {
        List<String> all = path.names();
        int from = Math.max(all.size() == 1 ? 0 : 1, all.size() - count);
        StringBuilder suffix = new StringBuilder();
        for (String name : all.subList(from, all.size())) {
            int at = name.indexOf('@');
            suffix.append(suffix.isEmpty() ? "" : "/").append(cut && at > 0 ? name.substring(0, at) : name);
        }
        return suffix.toString();
    }
}
