package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The text of a path, and back (rule M5). */
class ContextPathFuzzTest {
    @FuzzTest
    void everyTextIsAPathAndEveryPathComesBackFromItsText(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        ContextPath read = ContextPath.parse(text);
        comesBack(read);
        // The names as they are, so with the dots and backslashes that a text would have to escape.
        ContextPath path = ContextPath.of(List.of(text.split("/", 20)));
        comesBack(path);
        assertThat(path.compareTo(read)).isEqualTo(-read.compareTo(path));
        assertThat(path.equals(read)).isEqualTo(path.compareTo(read) == 0);
        PathText written = new PathText();
        for (ContextPath one : List.of(path, path.child(text), path.child("b"), path, read, read.child(text))) {
            int length = written.set(one);
            assertThat(new String(written.chars(), 0, length)).isEqualTo(one.toString());
        }
    }

    private static void comesBack(ContextPath path) {
        assertThat(ContextPath.parse(path.toString())).isEqualTo(path);
        assertThat(ContextPath.parse(path.toString()).names()).isEqualTo(path.names());
        assertThat(path.depth()).isEqualTo(path.names().size());
    }
}
