package com.fastn.verification.jcstress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openjdk.jcstress.annotations.JCStressTest;

/** Runs all races, each in JVMs of its own, and fails when an outcome is seen that is forbidden. */
@Tag("slow")
class RacesTest {
    private static final List<Class<?>> RACES =
            List.of(CancelRaces.class, CrowdRaces.class, HandlerRaces.class, PublicationRaces.class);

    @Test
    void C1_C3_M3_noForbiddenOutcomeIsEverSeen() throws Exception {
        Path report = Path.of(System.getProperty("races.report", "target/jcstress"));
        Files.createDirectories(report);
        Path output = report.resolve("output.txt");
        Process process = new ProcessBuilder(command(report))
                .directory(report.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(3, TimeUnit.HOURS)).as("ended in time").isTrue();
        } finally {
            process.destroyForcibly();
        }

        String said = Files.readString(output);
        String end = said.substring(Math.max(0, said.indexOf("Failed tests:")));
        assertThat(process.exitValue()).as(end).isZero();
        assertThat(end).startsWith("Failed tests: No matches").contains("Error tests: No matches");
        // A race that was left out, for want of processors or of a runner, is not proven.
        assertThat(said).contains(races().map(RacesTest::nameOf).toArray(String[]::new));
    }

    private static List<String> command(Path report) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "org.openjdk.jcstress.Main",
                "-v",
                "-r",
                report + File.separator,
                // One set of flags; by itself jcstress tries all that this JVM knows.
                "-jvmArgs",
                "-Xms64m -Xmx256m -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                "-sc",
                "false",
                "-af",
                "NONE",
                "-f",
                property("races.forks", "1"),
                "-iters",
                property("races.rounds", "1"),
                "-time",
                property("races.millis", "100"));
    }

    private static String property(String name, String usual) {
        return System.getProperty(name, usual);
    }

    private static Stream<Class<?>> races() {
        return RACES.stream()
                .flatMap(family -> Arrays.stream(family.getDeclaredClasses()))
                .filter(race -> race.isAnnotationPresent(JCStressTest.class));
    }

    private static String nameOf(Class<?> race) {
        return race.getEnclosingClass().getName() + "." + race.getSimpleName();
    }
}
