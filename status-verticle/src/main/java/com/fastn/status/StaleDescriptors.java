package com.fastn.status;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipal;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The descriptors that killed nodes left in a folder.
 *
 * <p>One is removed only when nothing about it is in doubt: it has the name, the mode, the owner and the fields that a node of
 * this user gives it, and its process is known to be gone. What is removed is what was looked at, also when somebody puts
 * another file in its place meanwhile. A link is never followed.
 */
final class StaleDescriptors {
    private static final int MOST_LOOKED_AT = 1_000;
    private static final int LARGEST = 16 << 10;
    private static final int MOST_CONNECTIONS = 16;
    private static final int CONNECT_MILLIS = 200;
    /** The start of a process is told by counting from the start of the machine, which is not exact. */
    private static final Duration CLOCKS_DIFFER = Duration.ofSeconds(10);

    private static final String ASIDE = ".swept";
    private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|\\[[0-9A-Fa-f:.]+]");
    private static final Set<OpenOption> READ = Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    private static final Logger LOG = LoggerFactory.getLogger(StaleDescriptors.class);

    private final Path own;
    private final String mark;
    private final @Nullable String pidScope;
    private final Processes processes;

    // Mutable state
    private int connections;

    /**
     * Makes one.
     *
     * @param own the descriptor of this node; the others are looked for beside it, and have its owner
     * @param mark distinguishes this sweep from any other
     * @param pidScope where ids of processes mean what they mean here, or {@code null} where nobody can tell
     * @param processes tells which processes live
     */
    StaleDescriptors(Path own, String mark, @Nullable String pidScope, Processes processes) {
        this.own = own;
        this.mark = NodeDescriptor.sanitised(mark);
        this.pidScope = pidScope;
        this.processes = processes;
    }

    /** {@return how many were removed} Blocks for as long as the folder takes to read. */
    int sweep() throws IOException {
        UserPrincipal owner = Files.getOwner(own, LinkOption.NOFOLLOW_LINKS);
        int removed = 0;
        int seen = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(own.resolveSibling(""))) {
            for (Path file : files) {
                if (++seen > MOST_LOOKED_AT) {
                    break;
                }
                removed += isRemoved(file, owner) ? 1 : 0;
            }
        }
        return removed;
    }

    private boolean isRemoved(Path file, UserPrincipal owner) {
        try {
            if (!isOfThisKind(file, owner)) {
                return false;
            }
            byte[] content = content(file);
            Left left = Left.read(content);
            String name = left == null ? null : left.visibleName(String.valueOf(file.getFileName()));
            return left != null && name != null && isGone(left) && remove(file, name, content);
        } catch (NoSuchFileException e) {
            // Its node ended, or another one swept.
            return false;
        } catch (IOException | UnsupportedOperationException e) {
            LOG.debug("{} is left as it is", Printable.line(file.toString()), e);
            return false;
        }
    }

    private static boolean isOfThisKind(Path file, UserPrincipal owner) throws IOException {
        BasicFileAttributes attributes =
                Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!attributes.isRegularFile() || attributes.size() > LARGEST) {
            return false;
        }
        PosixFileAttributeView posix =
                Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        return (posix == null || posix.readAttributes().permissions().equals(NodeDescriptor.OWNER_FILE))
                && Files.getOwner(file, LinkOption.NOFOLLOW_LINKS).equals(owner);
    }

    /** {@return what stands in it, or in its beginning} */
    private static byte[] content(Path file) throws IOException {
        ByteBuffer content = ByteBuffer.allocate(LARGEST);
        try (SeekableByteChannel channel = Files.newByteChannel(file, READ)) {
            while (content.hasRemaining() && channel.read(content) >= 0) {
                // On to the end.
            }
        }
        return Arrays.copyOf(content.array(), content.position());
    }

    private boolean isGone(Left left) {
        if (!Objects.equals(left.pidScope, pidScope)) {
            // Of another container, machine or boot, or of whoever does not say: the id may be that of a process that
            // lives.
            return false;
        }
        if (!processes.isAlive(left.pid)) {
            return pidScope != null || isClosed(left.url);
        }
        Instant began = processes.started(left.pid);
        // A clock that was set since makes a process look younger than its node too, and then the node's port is open.
        return began != null && began.isAfter(left.started.plus(CLOCKS_DIFFER)) && isClosed(left.url);
    }

    /** {@return whether nothing listens there} Not when nobody can tell. */
    private boolean isClosed(URI url) {
        String host = url.getHost();
        // The name of a host may take long to look up.
        if (host == null || !ADDRESS.matcher(host).matches() || ++connections > MOST_CONNECTIONS) {
            return false;
        }
        try (Socket socket = new Socket(Proxy.NO_PROXY)) {
            socket.connect(new InetSocketAddress(host, url.getPort()), CONNECT_MILLIS);
            return false;
        } catch (ConnectException e) {
            return true;
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * Takes a file away and looks at it there, where nobody else replaces it: a node that has the id and the alias of the
     * one that is gone may have written its descriptor meanwhile.
     */
    private boolean remove(Path file, String name, byte[] judged) throws IOException {
        Path aside = file.resolveSibling("." + name + "." + mark + ASIDE);
        Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
        if (Arrays.equals(content(aside), judged)) {
            return Files.deleteIfExists(aside);
        }
        putBack(aside, file);
        return false;
    }

    private static void putBack(Path aside, Path file) throws IOException {
        try {
            // Unlike a move this surely replaces nothing that came meanwhile.
            Files.createLink(file, aside);
        } catch (FileAlreadyExistsException e) {
            // A yet newer one is there.
        } catch (FileSystemException | UnsupportedOperationException e) {
            // A file system without links, where nobody can be sure.
            moveBack(aside, file);
        }
        Files.deleteIfExists(aside);
    }

    private static void moveBack(Path aside, Path file) throws IOException {
        try {
            Files.move(aside, file);
        } catch (FileAlreadyExistsException e) {
            // A yet newer one is there.
        }
    }

    /** What a node said of itself. */
    private record Left(
            String alias,
            String incarnation,
            long pid,
            URI url,
            Instant started,
            @Nullable String pidScope) {
        /** {@return {@code null} where it is not exactly what a node of ours says} */
        static @Nullable Left read(byte[] content) throws IOException {
            String alias = null;
            String incarnation = null;
            String url = null;
            String started = null;
            String pidScope = null;
            long schema = -1;
            long pid = -1;
            try (JsonParser json = new JsonFactory().createParser(content)) {
                if (json.nextToken() != JsonToken.START_OBJECT) {
                    return null;
                }
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String field = json.currentName();
                    JsonToken value = json.nextToken();
                    if (value == null || value.isStructStart()) {
                        return null;
                    }
                    switch (field) {
                        case "schema" -> schema = json.getValueAsLong(-1);
                        case "pid" -> pid = json.getValueAsLong(-1);
                        case "pid_scope" -> pidScope = json.getValueAsString();
                        case "alias" -> alias = json.getValueAsString();
                        case "incarnation" -> incarnation = json.getValueAsString();
                        case "url" -> url = json.getValueAsString();
                        case "started" -> started = json.getValueAsString();
                        default -> {}
                    }
                }
            }
            if (schema != NodeDescriptor.SCHEMA
                    || pid <= 0
                    || alias == null
                    || incarnation == null
                    || url == null
                    || started == null) {
                return null;
            }
            try {
                return new Left(alias, incarnation, pid, URI.create(url), Instant.parse(started), pidScope);
            } catch (IllegalArgumentException | DateTimeException e) {
                return null;
            }
        }

        /**
         * {@return the name of the descriptor, also when it was not in its place yet or not any more, or {@code null} when
         * what is in the file does not go with the name that it has}
         */
        @Nullable
        String visibleName(String name) {
            for (String mine : NodeDescriptor.names(alias, pid, incarnation)) {
                if (name.equals(mine)
                        || (name.startsWith("." + mine + ".")
                                && (name.endsWith(NodeDescriptor.HALF) || name.endsWith(ASIDE)))) {
                    return mine;
                }
            }
            return null;
        }
    }

    /** What the operating system tells of processes. */
    interface Processes {
        /** {@return whether a process of this id lives} */
        boolean isAlive(long pid);

        /** {@return when it started, or {@code null} where nobody tells} */
        @Nullable
        Instant started(long pid);

        /** {@return those of this machine} */
        static Processes system() {
            return new Processes() {
                @Override
                public boolean isAlive(long pid) {
                    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
                }

                @Override
                public @Nullable Instant started(long pid) {
                    return ProcessHandle.of(pid)
                            .flatMap(process -> process.info().startInstant())
                            .orElse(null);
                }
            };
        }
    }
}
