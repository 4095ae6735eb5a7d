package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.NodeIdentity;
import com.fastn.status.NodeDescriptor.OwnProcess;
import com.fastn.status.StaleDescriptors.Processes;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Descriptors of nodes that were killed, seen by a node that starts. */
class StaleDescriptorsTest {
    private static final Instant STARTED = Instant.parse("2026-01-01T00:00:00Z");
    private static final String SCOPE = "boot/pid:[1]";
    private static final long OWN = 77;
    private static final long DEAD = 99;

    @TempDir
    Path temp;

    private final Living living = new Living();
    private @Nullable NodeDescriptor node;
    private Path folder = Path.of("");

    @BeforeEach
    void start() throws IOException {
        folder = temp.resolve("fastn");
        living.started.put(OWN, STARTED);
        node = write("alice", "i-1", OWN);
    }

    @AfterEach
    void stop() {
        if (node != null) {
            node.close();
        }
    }

    @Test
    void whatKilledNodesLeftIsRemovedAndWhatLivesStays() throws IOException {
        Path dead = left("bob", "i-2", DEAD);
        Path second = left("bob", "i-3", DEAD, name -> "bob-99-i-3.json");
        Path lives = left("carol", "i-4", 100);
        living.started.put(100L, STARTED.minusSeconds(3));

        assertThat(sweep()).isEqualTo(2);
        assertThat(dead).doesNotExist();
        assertThat(second).doesNotExist();
        assertThat(files())
                .containsExactlyInAnyOrder("alice-77.json", lives.getFileName().toString());
    }

    @Test
    void whatAKillLeftHalfDoneIsRemovedToo() throws IOException {
        left("bob", "i-2", DEAD, name -> "." + name + ".i-2.tmp");
        left("bob", "i-2", DEAD, name -> "." + name + ".i-5.swept");
        left("carol", "i-4", 100, name -> "." + name + ".i-4.tmp");
        living.started.put(100L, STARTED);

        assertThat(sweep()).isEqualTo(2);
        assertThat(files()).containsExactlyInAnyOrder("alice-77.json", ".carol-100.json.i-4.tmp");
    }

    @Test
    void anIdThatAnotherProcessHasByNowIsNoLifeUnlessThePortIsOpen() throws IOException {
        // Not one that the system hands out: another process may have it as soon as it is closed here.
        int free = TestCluster.freePorts(1).get(0);
        try (ServerSocket port = new ServerSocket(free, 1, InetAddress.getLoopbackAddress())) {
            Path file = left("bob", "i-2", 100, free);
            living.started.put(100L, STARTED.plusSeconds(3_600));
            assertThat(sweep()).as("a clock that was set looks the same").isZero();

            port.close();
            living.started.put(100L, STARTED.plusSeconds(5));
            assertThat(sweep()).as("a process just before its node").isZero();
            living.unknown = true;
            assertThat(sweep()).as("nobody knows since when it is there").isZero();
            living.unknown = false;
            assertThat(file).exists();

            living.started.put(100L, STARTED.plusSeconds(3_600));
            assertThat(sweep()).isEqualTo(1);
            assertThat(file).doesNotExist();
        }
    }

    @Test
    void whereTheIdMeansAnotherProcessNothingIsConcluded() throws IOException {
        Path file = left("bob", "i-2", DEAD);
        String said = Files.readString(file);
        Files.writeString(file, said.replace("pid:[1]", "pid:[2]"));
        assertThat(sweep()).isZero();
        Files.writeString(file, said.replace("\"pid_scope\":\"" + SCOPE + "\",", ""));
        assertThat(Files.readString(file)).doesNotContain("pid_scope");
        assertThat(sweep()).as("one of a version that did not say").isZero();
        Files.writeString(file, said);
        assertThat(sweep()).isEqualTo(1);
    }

    @Test
    void S20_whatIsNotSurelyADescriptorOfThisUserIsLeftAsItIs() throws IOException {
        Path link = folder.resolve("linked-99.json");
        Path target = temp.resolve("linked-99.json");
        Files.move(left("linked", "i-2", DEAD), target);
        Files.createSymbolicLink(link, target);
        Path open = left("open", "i-2", DEAD);
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-r--r--"));
        left("bob", "i-2", DEAD, name -> "renamed-99.json");
        left("bob", "i-2", DEAD, name -> "bob-98.json");
        left("bob", "i-2", DEAD, name -> "bob-99.json.bak");
        changed("newer", "\"schema\":1", "\"schema\":2");
        changed("nested", "\"schema\":1", "\"schema\":1,\"more\":{}");
        changed("timeless", STARTED.toString(), "lately");
        changed("nameless", "\"alias\"", "\"name\"");
        changed("large", "\"schema\"", " ".repeat(16 << 10) + "\"schema\"");
        changed("cut", "}\n", "");
        Files.createDirectory(folder.resolve("folder-99.json"));
        List<String> before = files();

        assertThat(sweep()).isZero();
        assertThat(files()).isEqualTo(before).hasSize(13);
        assertThat(target).exists();
    }

    @Test
    void whatTookThePlaceOfAStaleOneMeanwhileStays() throws IOException {
        Path file = left("bob", "i-2", DEAD);
        living.asked = pid -> {
            // Another process has the id now, and its node the same alias.
            living.started.put(DEAD, STARTED.plusSeconds(100));
            replace(file, "i-9");
        };
        sweep();
        assertThat(Files.readString(file)).contains("i-9");
        assertThat(files()).containsExactlyInAnyOrder("alice-77.json", "bob-99.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @Test
    void nodesThatStartAtOnceDoNotGetInEachOthersWay() throws Exception {
        int dead = 400;
        for (int i = 0; i < dead; i++) {
            left("bob-" + i, "i-2", 1_000 + i);
        }
        living.started.put(500L, STARTED);
        Path lives = left("carol", "i-4", 500);
        int nodes = 4;
        CyclicBarrier together = new CyclicBarrier(nodes);
        ExecutorService threads = Executors.newFixedThreadPool(nodes);
        try {
            List<Callable<Integer>> sweeps = new ArrayList<>();
            for (int i = 0; i < nodes; i++) {
                String mark = "sweeper-" + i;
                sweeps.add(() -> {
                    together.await();
                    return new StaleDescriptors(own(), mark, SCOPE, living).sweep();
                });
            }
            int removed = 0;
            for (Future<Integer> each : threads.invokeAll(sweeps)) {
                removed += each.get();
            }
            assertThat(removed).isEqualTo(dead);
        } finally {
            threads.shutdownNow();
        }
        assertThat(files())
                .containsExactlyInAnyOrder("alice-77.json", lives.getFileName().toString());
    }

    @Test
    void oneSweepLooksAtAThousandFilesAndTheNextOneGoesOn() throws IOException {
        for (int i = 0; i < 1_100; i++) {
            left("bob-" + i, "i-2", 1_000 + i);
        }
        assertThat(sweep()).isBetween(999, 1_000);
        assertThat(sweep()).isBetween(100, 101);
        assertThat(files()).containsExactly("alice-77.json");
    }

    private int sweep() throws IOException {
        return new StaleDescriptors(own(), "sweeper", SCOPE, living).sweep();
    }

    private Path own() {
        return folder.resolve("alice-77.json");
    }

    private List<String> files() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private NodeDescriptor write(String alias, String incarnation, long pid) throws IOException {
        return write(folder, alias, incarnation, pid, 1);
    }

    private static NodeDescriptor write(Path folder, String alias, String incarnation, long pid, int port)
            throws IOException {
        return NodeDescriptor.write(
                folder,
                new NodeIdentity(alias, incarnation),
                new NodeDescriptor.Access("http://127.0.0.1:" + port, null, null),
                new OwnProcess(pid, STARTED.minus(Duration.ofSeconds(1)), SCOPE),
                STARTED);
    }

    /** Writes what a node writes; killed, it does not remove it. */
    private Path left(String alias, String incarnation, long pid) throws IOException {
        return left(alias, incarnation, pid, 1);
    }

    private Path left(String alias, String incarnation, long pid, int port) throws IOException {
        Path elsewhere = temp.resolve("elsewhere");
        try (NodeDescriptor written = write(elsewhere, alias, incarnation, pid, port)) {
            Path file = folder.resolve(String.valueOf(written.file().getFileName()));
            return Files.copy(written.file(), file, StandardCopyOption.COPY_ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
        }
    }

    private Path left(String alias, String incarnation, long pid, UnaryOperator<String> name) throws IOException {
        Path elsewhere = temp.resolve("elsewhere");
        try (NodeDescriptor written = write(elsewhere, alias, incarnation, pid, 1)) {
            String usual = String.valueOf(written.file().getFileName());
            return Files.copy(written.file(), folder.resolve(name.apply(usual)), StandardCopyOption.COPY_ATTRIBUTES);
        }
    }

    private void changed(String alias, String what, String by) throws IOException {
        Path file = left(alias, "i-2", DEAD);
        String before = Files.readString(file);
        String after = before.replace(what, by);
        assertThat(after).isNotEqualTo(before);
        Files.writeString(file, after);
    }

    private static void replace(Path file, String incarnation) {
        try {
            Path newer = Files.copy(file, file.resolveSibling(".newer"), StandardCopyOption.COPY_ATTRIBUTES);
            Files.writeString(newer, Files.readString(file).replace("i-2", incarnation));
            Files.move(newer, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Processes that were thought up. */
    private static final class Living implements Processes {
        private final Map<Long, Instant> started = new HashMap<>();
        private LongConsumer asked = pid -> {};
        private boolean unknown;

        @Override
        public boolean isAlive(long pid) {
            boolean alive = started.containsKey(pid);
            if (!alive) {
                asked.accept(pid);
            }
            return alive;
        }

        @Override
        public @Nullable Instant started(long pid) {
            return unknown ? null : started.get(pid);
        }
    }
}
