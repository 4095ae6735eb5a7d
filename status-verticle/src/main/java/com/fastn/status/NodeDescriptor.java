package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fastn.context.status.NodeIdentity;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small file by which {@code fastn status} finds this node on its machine. Only its owner can read it (rule S20), and it
 * goes away with the node: when it is closed, or when the virtual machine ends.
 */
final class NodeDescriptor implements AutoCloseable {
    static final int SCHEMA = 1;

    private static final Logger LOG = LoggerFactory.getLogger(NodeDescriptor.class);
    private static final int LONGEST_NAME = 64;
    private static final Set<PosixFilePermission> OWNER_FOLDER =
            Set.copyOf(PosixFilePermissions.fromString("rwx------"));
    private static final Set<PosixFilePermission> FOREIGN_WRITE =
            Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
    static final Set<PosixFilePermission> OWNER_FILE = Set.copyOf(PosixFilePermissions.fromString("rw-------"));
    /** How the name of a file ends that is being written. */
    static final String HALF = ".tmp";

    private final Path file;
    private final String incarnation;
    private final @Nullable String pidScope;
    private final Thread exitHook;

    private NodeDescriptor(Path file, NodeIdentity node, OwnProcess process) {
        this.file = file;
        this.incarnation = node.incarnation();
        this.pidScope = process.pidScope();
        this.exitHook = new Thread(this::remove, "fastn-descriptor-removal");
    }

    /**
     * Finds the folder of the descriptors.
     *
     * @param property a system property by its name, or {@code null}
     * @param environment a variable of the environment by its name, or {@code null}
     * @return the folder, which may not exist yet
     */
    static Path folder(Lookup property, Lookup environment) {
        String explicit = firstSet(property.get("fastn.runtime.dir"), environment.get("FASTN_RUNTIME_DIR"));
        if (explicit != null) {
            return Path.of(explicit);
        }
        String runtime = environment.get("XDG_RUNTIME_DIR");
        if (runtime != null && !runtime.isBlank()) {
            return Path.of(runtime, "fastn");
        }
        String user = firstSet(property.get("user.name"), "user");
        return Path.of(
                requireNonNull(firstSet(property.get("java.io.tmpdir"), "/tmp")),
                "fastn-" + sanitised(requireNonNull(user)));
    }

    private static @Nullable String firstSet(@Nullable String... values) {
        for (String value : values) {
            if (value != null && !value.isBlank()) {
                return value;
            }
        }
        return null;
    }

    /**
     * Writes a descriptor. Blocks.
     *
     * @param folder where; made for the owner alone if it is not there
     * @param node who the node is
     * @param access how its status port is asked
     * @param process where it runs
     * @param started when it started itself
     * @return closing it removes the file
     * @throws IOException if it cannot be written safely
     */
    static NodeDescriptor write(Path folder, NodeIdentity node, Access access, OwnProcess process, Instant started)
            throws IOException {
        makePrivate(folder);
        List<String> names = names(node.alias(), process.pid(), node.incarnation());
        Path file = folder.resolve(names.get(0));
        if (isYoungerThan(process.started(), file)) {
            // Two nodes of one process may share an alias; neither may remove the other's file.
            file = folder.resolve(names.get(1));
        }
        Path half = folder.resolve("." + file.getFileName() + "." + sanitised(node.incarnation()) + HALF);
        Files.deleteIfExists(half);
        byte[] content = content(node, access, process, started).getBytes(StandardCharsets.UTF_8);
        try (SeekableByteChannel channel = Files.newByteChannel(
                half, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerOnly(folder, OWNER_FILE))) {
            ByteBuffer rest = ByteBuffer.wrap(content);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
        }
        moveInto(half, file);
        NodeDescriptor descriptor = new NodeDescriptor(file, node, process);
        Runtime.getRuntime().addShutdownHook(descriptor.exitHook);
        return descriptor;
    }

    /** {@return the names that a descriptor may have: the usual one, and that of a second node of the process} */
    static List<String> names(String alias, long pid, String incarnation) {
        String name = sanitised(alias) + "-" + pid;
        return List.of(name + ".json", name + "-" + sanitised(incarnation) + ".json");
    }

    /** {@return where the descriptor is} */
    Path file() {
        return file;
    }

    /** Removes the descriptors of nodes that were killed from the folder of this one. Blocks. */
    void removeStale(StaleDescriptors.Processes processes) {
        try {
            int removed = new StaleDescriptors(file, incarnation, pidScope, processes).sweep();
            LOG.debug("{} descriptors of killed nodes were beside {}", removed, file);
        } catch (IOException | DirectoryIteratorException | UnsupportedOperationException e) {
            // Nobody but the next node needs it; those who read pass over them.
            LOG.debug("descriptors of killed nodes beside {} were not looked for", file, e);
        }
    }

    /** A file of this process id that is older than the process was left by one that had the id before and was killed. */
    private static boolean isYoungerThan(Instant processStarted, Path file) throws IOException {
        return Files.exists(file, LinkOption.NOFOLLOW_LINKS)
                && Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS)
                        .toInstant()
                        .isAfter(processStarted);
    }

    private static void makePrivate(Path folder) throws IOException {
        Path parent = folder.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        try {
            Files.createDirectory(folder, ownerOnly(parent == null ? folder : parent, OWNER_FOLDER));
            return;
        } catch (FileAlreadyExistsException e) {
            // Looked at below: in a folder for everybody, somebody else may have made it first.
        }
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(
                    folder + " is not a folder; remove it, or set FASTN_RUNTIME_DIR to a folder of yours");
        }
        PosixFileAttributeView view =
                Files.getFileAttributeView(folder, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        if (view != null) {
            PosixFileAttributes attributes = view.readAttributes();
            String objection = objection(folder, attributes.owner().getName(), attributes.permissions());
            if (objection != null) {
                throw new IOException(objection);
            }
        }
    }

    /** A folder that is there is never changed: it may be one that others need as it is, such as /tmp. */
    static @Nullable String objection(Path folder, String owner, Set<PosixFilePermission> permissions) {
        String user = System.getProperty("user.name");
        if (user != null && !user.equals("?") && !owner.equals(user)) {
            return folder + " belongs to " + Printable.line(owner) + " and not to " + Printable.line(user)
                    + "; set FASTN_RUNTIME_DIR to a folder of yours";
        }
        if (permissions.stream().anyMatch(FOREIGN_WRITE::contains)) {
            return folder + " can be written by others; if it is for this alone, run: chmod 700 " + folder
                    + ", else set FASTN_RUNTIME_DIR to a folder of yours";
        }
        return null;
    }

    private static FileAttribute<?>[] ownerOnly(Path place, Set<PosixFilePermission> permissions) {
        boolean posix = place.getFileSystem().supportedFileAttributeViews().contains("posix");
        return posix
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)}
                : new FileAttribute<?>[0];
    }

    private static void moveInto(Path half, Path file) throws IOException {
        try {
            Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(half, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static String content(NodeIdentity node, Access access, OwnProcess process, Instant started)
            throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeNumberField("schema", SCHEMA);
            json.writeNumberField("pid", process.pid());
            if (process.pidScope() != null) {
                json.writeStringField("pid_scope", process.pidScope());
            }
            json.writeStringField("alias", node.alias());
            json.writeStringField("url", access.url());
            if (access.tokenFile() != null) {
                json.writeStringField("token_file", access.tokenFile().toString());
            }
            if (access.caFile() != null) {
                json.writeStringField("ca_file", access.caFile().toString());
            }
            json.writeStringField("incarnation", node.incarnation());
            json.writeStringField("started", started.toString());
            json.writeEndObject();
        }
        return text.append('\n').toString();
    }

    /** {@return a name that is fit for a file and never hidden} */
    static String sanitised(String name) {
        StringBuilder safe = new StringBuilder();
        for (int i = 0; i < name.length() && safe.length() < LONGEST_NAME; i++) {
            char c = name.charAt(i);
            boolean plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
            boolean dot = (c == '.' || c == '_') && safe.length() > 0;
            safe.append(plain || dot ? c : '_');
        }
        return safe.length() == 0 ? "_" : safe.toString();
    }

    /** Removes the file. A second call has no effect. */
    @Override
    public void close() {
        remove();
        try {
            Runtime.getRuntime().removeShutdownHook(exitHook);
        } catch (IllegalStateException e) {
            // The virtual machine ends already, and the hook finds nothing to remove.
        }
    }

    private void remove() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn(
                    "the node descriptor {} cannot be removed; remove it by hand, or it is shown as a dead node",
                    file,
                    e);
        }
    }

    /**
     * The process of a node.
     *
     * @param pid its id
     * @param started when it started
     * @param pidScope within what the id is that of one process, or {@code null} where nobody can tell
     */
    record OwnProcess(long pid, Instant started, @Nullable String pidScope) {
        /** {@return this one} Blocks. */
        static OwnProcess current() {
            return new OwnProcess(
                    ProcessHandle.current().pid(),
                    Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime()),
                    readPidScope());
        }

        /** Containers may share a folder, and so may machines; a file of before a boot may be of either. */
        private static @Nullable String readPidScope() {
            try {
                String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id"));
                return boot.strip() + '/' + Files.readSymbolicLink(Path.of("/proc/self/ns/pid"));
            } catch (IOException | UnsupportedOperationException e) {
                return null;
            }
        }
    }

    /**
     * How a status port is asked.
     *
     * @param url where it listens
     * @param tokenFile where the token stands that it wants, or {@code null} when it wants none
     * @param caFile whose certificates to trust, or {@code null} where the platform knows
     */
    record Access(
            String url, @Nullable Path tokenFile, @Nullable Path caFile) {
        static Access of(String url, StatusOptions options) {
            return new Access(url, absolute(options.getHttpTokenFile()), absolute(options.getHttpTlsCert()));
        }

        private static @Nullable Path absolute(@Nullable String file) {
            return file == null ? null : Path.of(file).toAbsolutePath();
        }
    }

    /** Something to look a name up in. */
    @FunctionalInterface
    interface Lookup {
        @Nullable
        String get(String name);
    }
}
