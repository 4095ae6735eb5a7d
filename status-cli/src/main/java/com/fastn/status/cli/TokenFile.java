package com.fastn.status.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.regex.Pattern;

/** Reads secrets from files that nobody but their owner can read (rule S20). */
final class TokenFile {
    private static final int LARGEST = 4 << 10;
    /** What a header takes; with anything else in it, the file is not what it is meant to be. */
    private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]{1,1024}");

    private TokenFile() {}

    /**
     * Reads a token.
     *
     * @param file where it stands, alone
     * @return the token
     * @throws Trouble if others can read the file, or no token is in it
     */
    static String read(Path file) {
        String shown = Printable.line(file.toString());
        try {
            PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
            if (view != null && view.readAttributes().permissions().stream().anyMatch(NodeFinder.FOREIGN::contains)) {
                throw refused(shown, "others than its owner can read or change it", "chmod 600 " + Shell.quoted(shown));
            }
            if (!Files.isRegularFile(file) || Files.size(file) > LARGEST) {
                throw refused(shown, "it is no small file", "put the token, and nothing else, into it");
            }
            String token = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).strip();
            if (!TOKEN.matcher(token).matches()) {
                throw refused(
                        shown,
                        token.isEmpty() ? "it is empty" : "it holds more than one word of letters, digits and signs",
                        "put the token, and nothing else, into it");
            }
            return token;
        } catch (NoSuchFileException e) {
            throw refused(shown, "there is no such file", "make it, and run: chmod 600 " + Shell.quoted(shown));
        } catch (IOException e) {
            throw refused(shown, "it cannot be read (" + Printable.reason(e) + ")", "look at its permissions");
        }
    }

    private static Trouble refused(String file, String why, String next) {
        return new Trouble(ExitCode.ERROR, "token file " + file + " is not used", why, next);
    }
}
