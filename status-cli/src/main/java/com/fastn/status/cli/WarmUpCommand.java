package com.fastn.status.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNullElse;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * {@code fastn warm-up}, which the launcher runs to make its archive of classes: shows a status as somebody would see it, of a node
 * that is played here, and so loads what every look loads.
 */
final class WarmUpCommand implements Subcommand {
    /** What most nodes have, and the picture in the jar has not. */
    private static final String COUNTED = "{ \"requests\" : 1234, \"failed_requests\" : 2, \"commands\" : 1 },";

    private final Surroundings surroundings;
    private final Syntax syntax;

    WarmUpCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax("warm-up", this, "Loads what a look at a status loads; for the launcher.").hidden();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    @Override
    public Integer call() throws IOException {
        byte[] status;
        try (InputStream in = WarmUpCommand.class.getResourceAsStream("warm-up.json")) {
            if (in == null) {
                throw new IOException("the jar lacks warm-up.json");
            }
            String picture = new String(in.readAllBytes(), UTF_8);
            status = picture.replace("\"total_counters\" : { },", "\"total_counters\" : " + COUNTED)
                    .replace("\"subtree_total_counters\" : { },", "\"subtree_total_counters\" : " + COUNTED)
                    .getBytes(UTF_8);
        }
        String temporary = requireNonNullElse(surroundings.properties().nonBlank("java.io.tmpdir"), "/tmp");
        Path folder = Files.createTempDirectory(Path.of(temporary), "fastn-warm-up");
        Path descriptor = folder.resolve("node.json");
        try (ServerSocket port = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            Thread node = new Thread(() -> play(port, status), "fastn-warm-up");
            node.setDaemon(true);
            node.start();
            Files.createFile(descriptor);
            if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.setPosixFilePermissions(descriptor, PosixFilePermissions.fromString("rw-------"));
            }
            Files.writeString(
                    descriptor,
                    "{\"pid\":%d,\"alias\":\"warm-up\",\"url\":\"http://127.0.0.1:%d\",\"incarnation\":\"warm-up\"}"
                            .formatted(ProcessHandle.current().pid(), port.getLocalPort()));
            Preload.begin();
            int worst = 0;
            for (String[] arguments : new String[][] {
                {"status", "--color=always", "--width=100"}, {"status", "--json"}, {"status", "--ascii", "--limit=2"}
            }) {
                worst = Math.max(worst, Fastn.run(inside(folder), arguments));
            }
            return worst;
        } finally {
            Files.deleteIfExists(descriptor);
            Files.deleteIfExists(folder);
        }
    }

    private Surroundings inside(Path folder) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, UTF_8);
        Lookup environment = name -> switch (name) {
            case "FASTN_RUNTIME_DIR" -> folder.toString();
            case "FASTN_CONFIG", "XDG_CONFIG_HOME", "HOME" -> null;
            default -> surroundings.environment().get(name);
        };
        Lookup properties = name -> switch (name) {
            case "user.home", "fastn.runtime.dir" -> null;
            default -> surroundings.properties().get(name);
        };
        return new Surroundings(
                properties,
                environment,
                false,
                Processes.system(),
                surroundings.ticker(),
                () -> Size.UNKNOWN,
                nowhere,
                nowhere);
    }

    private static void play(ServerSocket port, byte[] status) {
        while (!port.isClosed()) {
            try (Socket asker = port.accept()) {
                int fromEnd = 0;
                // A question ends with an empty line.
                for (int c = asker.getInputStream().read(); c >= 0 && fromEnd < 4; ) {
                    fromEnd = c == '\r' || c == '\n' ? fromEnd + 1 : 0;
                    if (fromEnd < 4) {
                        c = asker.getInputStream().read();
                    }
                }
                OutputStream out = asker.getOutputStream();
                out.write(("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                                + status.length + "\r\n\r\n")
                        .getBytes(UTF_8));
                out.write(status);
                out.flush();
            } catch (IOException e) {
                // The port is closed when enough was loaded.
            }
        }
    }
}
