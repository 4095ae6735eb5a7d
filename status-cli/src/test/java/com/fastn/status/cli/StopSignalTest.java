package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ctrl-Z, in a process of its own. */
class StopSignalTest {
    /** Says what it is told of, until its input ends. */
    static final class Stopped {
        private Stopped() {}

        public static void main(String[] arguments) throws IOException {
            CountDownLatch back = new CountDownLatch(2);
            Suspension.Holder holder = new Suspension.Holder() {
                @Override
                public void leave() {
                    System.out.println("left");
                }

                @Override
                public void comeBack() {
                    System.out.println("back");
                    back.countDown();
                }
            };
            try (Suspension.Listening unusedListening = Suspension.system().tell(holder)) {
                System.out.println("listens");
                while (System.in.read() >= 0) {
                    // Until nobody asks any more.
                }
            }
            System.out.println("ends after " + (2 - back.getCount()));
        }
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void theTerminalIsGivenBackBeforeTheProcessStopsAndTakenWhenItGoesOnEachTime()
            throws IOException, InterruptedException {
        assumeTrue(Path.of("/bin/kill").toFile().canExecute()
                || Path.of("/usr/bin/kill").toFile().canExecute());
        assumeFalse(isInTheBackground(), "what waits to be in front would stop all that runs the tests");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Stopped.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader said =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(said.readLine()).isEqualTo("listens");
            for (int times = 0; times < 2; times++) {
                signal("TSTP", process.toHandle());
                assertThat(said.readLine()).isEqualTo("left");
                // Where no shell could let it go on, the system does not stop it at all.
                while (!said.ready()) {
                    signal("CONT", process.toHandle());
                    process.descendants().forEach(child -> signal("CONT", child));
                    LockSupport.parkNanos(20_000_000);
                }
                assertThat(said.readLine()).isEqualTo("back");
            }
            process.getOutputStream().close();
            assertThat(said.readLine()).isEqualTo("ends after 2");
            assertThat(process.waitFor()).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    /** {@return whether a terminal has others in front, as far as this system tells} */
    private static boolean isInTheBackground() throws IOException {
        Path stat = Path.of("/proc/self/stat");
        if (!Files.isReadable(stat)) {
            return false;
        }
        String all = Files.readString(stat);
        // Behind the name: state, parent, group, session, terminal, and the group in front of that, or -1.
        String[] words = all.substring(all.lastIndexOf(')') + 2).split(" ", -1);
        return Integer.parseInt(words[5]) > 0 && !words[5].equals(words[2]);
    }

    private static void signal(String name, ProcessHandle process) {
        try {
            // One that ended meanwhile has no need of it.
            new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                    .redirectErrorStream(true)
                    .start()
                    .waitFor();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
