package com.fastn.status.cli;

import com.fastn.context.status.Sanitizer;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Makes text from outside fit for one line of a terminal (rule S6). Snapshots need it not: the renderers clean what they draw. */
final class Printable {
    private static final int LONGEST_LINE = 400;

    private Printable() {}

    /** {@return the text on one line, of bounded length, with what a terminal would obey spelled out} */
    static String line(String text) {
        return Sanitizer.line(text, LONGEST_LINE);
    }

    /** {@return why a file is not read, on one line} Of many a failure the message is the path alone, which is no reason. */
    static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "there is no such file";
        }
        if (e instanceof AccessDeniedException) {
            return "you may not read it";
        }
        String message = e instanceof FileSystemException failure ? failure.getReason() : e.getMessage();
        return line(message == null ? e.getClass().getSimpleName() : message);
    }
}
