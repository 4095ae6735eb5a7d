package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PathTextTest {
    @Test
    void pathsInAnyOrderHaveTheirDottedForm() {
        long seed = new Random().nextLong();
        System.out.println("PathTextTest seed " + seed);
        Random random = new Random(seed);
        List<ContextPath> paths = new ArrayList<>(List.of(ContextPath.of("a.b")));
        for (int i = 0; i < 500; i++) {
            paths.add(paths.get(random.nextInt(paths.size()))
                    .child(List.of("x", "y.z", "\\", "é").get(random.nextInt(4))));
        }
        for (int writer = 0; writer < 200; writer++) {
            PathText text = new PathText();
            for (int i = 0; i < 50; i++) {
                ContextPath path = paths.get(random.nextInt(paths.size()));
                assertSame(text, path);
                if (path.parent() != null) {
                    assertSame(text, path.parent().child("sibling"));
                }
                assertSame(text, path.child("child"));
            }
        }
    }

    private static void assertSame(PathText text, ContextPath path) {
        int length = text.set(path);
        assertThat(new String(text.chars(), 0, length)).isEqualTo(path.toString());
    }
}
