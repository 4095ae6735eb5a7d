package com.fastn.context;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A file in {@code src/test/resources} that holds what a text must be, in the folder of the package of the test that asks.
 * {@code -Dgolden.update=true} writes the files anew; look at the difference before you commit it.
 */
public final class Golden {
    private static final StackWalker STACK = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private final Path file;

    private Golden(Path file) {
        this.file = file;
    }

    /** {@return the golden file of that name beside the calling test} */
    public static Golden golden(String name) {
        String folder = STACK.getCallerClass().getPackageName().replace('.', '/');
        Path module = Path.of(System.getProperty("basedir", ""));
        return new Golden(module.resolve("src/test/resources").resolve(folder).resolve(name));
    }

    /** Fails unless the text is that of the file. */
    public void matches(String text) {
        try {
            if (Boolean.getBoolean("golden.update")) {
                Files.createDirectories(file.getParent());
                Files.writeString(file, text);
            }
            assertThat(text).as("%s (-Dgolden.update=true rewrites it)", file).isEqualTo(Files.readString(file));
        } catch (NoSuchFileException e) {
            throw new AssertionError("no golden file " + file + "; -Dgolden.update=true writes it", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
