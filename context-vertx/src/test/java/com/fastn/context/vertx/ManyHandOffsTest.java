package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManyHandOffsTest {
    /** A million on each of eight event loops, which is what the rule asks for, are forty of these. */
    private static final int ROUNDS = Integer.getInteger("proof.locks", 1);

    /** All of them, or of each round, wait before the first is served. */
    @ParameterizedTest(name = "{1} hand-offs on {0} event loops")
    @CsvSource({"1, 1000000", "8, 200000"})
    void L8_L9_aMillionHandOffsOnRealEventLoopsNeedNoMoreStackThanOneAndEachReachesItsOwnLoop(int loops, int handOffs)
            throws IOException, InterruptedException {
        int rounds = loops > 1 ? ROUNDS : 1;
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xss256k",
                        "-Xmx1500m",
                        "-cp",
                        classPath(),
                        ManyHandOffs.class.getName(),
                        String.valueOf(loops),
                        String.valueOf(handOffs),
                        String.valueOf(rounds))
                .redirectErrorStream(true)
                .start();
        String told = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(told).isZero();
        assertThat(told).contains("handed over " + (long) handOffs * rounds + ", elsewhere 0, waiting 0, held by null");
    }

    /** That of this test: its own loader's where it has one, else that of Surefire, which starts from a jar with a list. */
    private static String classPath() {
        if (ManyHandOffs.class.getClassLoader() instanceof URLClassLoader loader) {
            return Arrays.stream(loader.getURLs()).map(URL::getPath).collect(Collectors.joining(File.pathSeparator));
        }
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }
}
