package com.fastn.status.cli;

import static java.util.Objects.requireNonNullElse;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds the nodes of this machine by the descriptors that they keep in the user's runtime folder (rule S20). */
final class NodeFinder {
    private static final int LARGEST_DESCRIPTOR = 16 << 10;
    private static final int MOST_DESCRIPTORS = 1_000;
    /** The start of a process is told by counting from the start of the machine, which is not exact. */
    private static final Duration CLOCKS_DIFFER = Duration.ofSeconds(10);

    private static final Set<PosixFilePermission> FOREIGN_WRITE =
            Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
    /** What nobody but the owner may do with a file that holds a secret. */
    static final Set<PosixFilePermission> FOREIGN = Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.GROUP_EXECUTE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE,
            PosixFilePermission.OTHERS_EXECUTE);

    private final Lookup properties;
    private final Lookup environment;
    private final Processes processes;

    /**
     * Makes a finder.
     *
     * @param properties the system properties
     * @param environment the environment
     * @param processes tells which processes live
     */
    NodeFinder(Lookup properties, Lookup environment, Processes processes) {
        this.properties = properties;
        this.environment = environment;
        this.processes = processes;
    }

    /** {@return what is there} */
    Found find() {
        Found found = new Found(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        String property = properties.nonBlank("fastn.runtime.dir");
        String explicit = property != null ? property : environment.nonBlank("FASTN_RUNTIME_DIR");
        if (explicit != null) {
            Path folder = Lookup.path(explicit);
            if (folder == null) {
                throw new Trouble(
                        ExitCode.ERROR,
                        "no node is looked for on this machine",
                        Lookup.unreadable(property != null ? "fastn.runtime.dir" : "FASTN_RUNTIME_DIR", explicit),
                        Lookup.OTHER_LOCALE + ", or name another folder");
            }
            look(folder, found);
        } else {
            // A node that was started by a service manager need not have seen the XDG_RUNTIME_DIR of a login, so both.
            String runtime = environment.nonBlank("XDG_RUNTIME_DIR");
            if (runtime != null) {
                look("XDG_RUNTIME_DIR", Lookup.path(runtime, "fastn"), runtime, found);
            }
            String user = requireNonNullElse(properties.nonBlank("user.name"), "user");
            String temporary = requireNonNullElse(properties.nonBlank("java.io.tmpdir"), "/tmp");
            String own = "fastn-" + user.replaceAll("[^A-Za-z0-9._-]", "_");
            look("java.io.tmpdir", Lookup.path(temporary, own), temporary, found);
        }
        // What compares is not in the archive of classes, and most machines have one node.
        if (found.nodes.size() > 1) {
            found.nodes.sort(Comparator.comparing(LocalNode::alias).thenComparing(LocalNode::incarnation));
        }
        return found;
    }

    private void look(String name, @Nullable Path folder, String value, Found found) {
        if (folder == null) {
            found.refused.add(
                    Lookup.unreadable(name, value) + ", so no node is looked for there; next: " + Lookup.OTHER_LOCALE);
        } else {
            look(folder, found);
        }
    }

    private void look(Path folder, Found found) {
        found.folders.add(folder);
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            String objection = objectionToFolder(folder);
            if (objection != null) {
                found.refused.add(objection);
                return;
            }
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, NodeFinder::isDescriptor)) {
                for (Path file : files) {
                    if (found.nodes.size() >= MOST_DESCRIPTORS) {
                        found.refused.add("more than %d descriptors are in %s; the rest is not looked at"
                                .formatted(MOST_DESCRIPTORS, folder));
                        return;
                    }
                    add(file, found);
                }
            }
        } catch (IOException e) {
            found.refused.add("%s cannot be read (%s), so its nodes are not seen; look at its permissions"
                    .formatted(Printable.line(folder.toString()), Printable.reason(e)));
        }
    }

    private static boolean isDescriptor(Path file) {
        Path name = file.getFileName();
        return name != null
                && name.toString().endsWith(".json")
                && !name.toString().startsWith(".");
    }

    /** In a folder for everybody, such as /tmp, somebody else may have made our folder first. */
    private @Nullable String objectionToFolder(Path folder) throws IOException {
        PosixFileAttributes attributes = attributes(folder);
        if (attributes == null) {
            return null;
        }
        if (!attributes.isDirectory()) {
            return folder + " is not a folder, so no node is looked for in it; remove it";
        }
        String user = properties.nonBlank("user.name");
        String owner = attributes.owner().getName();
        if (user != null && !user.equals("?") && !owner.equals(user)) {
            return "%s belongs to %s and not to %s, so what it says is not believed; set FASTN_RUNTIME_DIR to yours"
                    .formatted(folder, Printable.line(owner), Printable.line(user));
        }
        if (!Collections.disjoint(attributes.permissions(), FOREIGN_WRITE)) {
            return "%1$s can be written by others, so what it says is not believed; run: chmod 700 %1$s"
                    .formatted(folder);
        }
        return null;
    }

    private void add(Path file, Found found) throws IOException {
        try {
            PosixFileAttributes attributes = attributes(file);
            if (attributes != null && !Collections.disjoint(attributes.permissions(), FOREIGN)) {
                found.refused.add(
                        "descriptor %1$s can be read or changed by others, so it is not used; run: chmod 600 %1$s"
                                .formatted(Printable.line(file.toString())));
                return;
            }
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) > LARGEST_DESCRIPTOR) {
                found.refused.add(unreadable(file, "it is no small file"));
                return;
            }
            LocalNode node = LocalNode.read(file, Files.readAllBytes(file));
            // What is left of a node that was killed is no news to anybody.
            if (processes.isAlive(node.pid()) && !isAnother(node)) {
                found.nodes.add(node);
            }
        } catch (NoSuchFileException e) {
            // The node ended while we looked.
        } catch (IOException e) {
            found.refused.add(unreadable(file, Printable.reason(e)));
        }
    }

    /**
     * {@return whether the process is younger than the node, whose id it has by now} A clock that was set since makes it look so
     * too, and then the node's port is open.
     */
    private boolean isAnother(LocalNode node) {
        Instant process = processes.started(node.pid());
        if (process == null || node.started().isEmpty()) {
            return false;
        }
        try {
            return process.isAfter(Instant.parse(node.started()).plus(CLOCKS_DIFFER)) && !node.listens();
        } catch (DateTimeParseException e) {
            return false;
        }
    }

    private static @Nullable PosixFileAttributes attributes(Path path) throws IOException {
        PosixFileAttributeView view =
                Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        return view == null ? null : view.readAttributes();
    }

    private static String unreadable(Path file, String why) {
        return "descriptor %s is not used, because %s; remove it if its node is gone"
                .formatted(Printable.line(file.toString()), why);
    }

    /**
     * What was found.
     *
     * @param nodes the living nodes, by alias
     * @param refused sentences on what was there and not used
     * @param folders where it was looked for
     */
    record Found(List<LocalNode> nodes, List<String> refused, List<Path> folders) {}
}
