package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Vert.x reads its property once, so each case is a virtual machine of its own. */
class WithoutMetricsTest {
    private static final String WARNING = "HTTP/1 requests get no contexts of their own in this Vertx";

    @ParameterizedTest
    @CsvSource({"true, '', true", "false, GET /x, false"})
    void itIsSaidWhereVertxDoesNotTellOfRequests(boolean disabled, String request, boolean warned)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dvertx.disableMetrics=" + disabled,
                        "-cp",
                        System.getProperty("java.class.path"),
                        WithoutMetrics.class.getName())
                .redirectErrorStream(true)
                .start();
        // Reading would wait as long as it lives.
        var unused = process.onExit().orTimeout(90, TimeUnit.SECONDS).whenComplete((ended, late) -> {
            if (late != null) {
                process.destroyForcibly();
            }
        });
        List<String> lines;
        try (var out = process.getInputStream()) {
            lines = new String(out.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        } finally {
            process.destroy();
        }
        assertThat(process.waitFor()).as("%s", lines).isZero();
        assertThat(lines).anyMatch(line -> line.startsWith("served in global.") && line.endsWith(request));
        assertThat(lines).filteredOn(line -> line.contains(WARNING)).hasSize(warned ? 1 : 0);
        if (disabled) {
            assertThat(lines).noneMatch(line -> line.startsWith("served in") && line.contains("GET"));
        }
    }
}
