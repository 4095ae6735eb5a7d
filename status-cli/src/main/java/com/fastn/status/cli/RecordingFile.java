package com.fastn.status.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/**
 * The file that a recording is written into. It is made with its first line: until something is heard there is none, and one that
 * is written over is as it was.
 */
final class RecordingFile implements AutoCloseable {
    private final Path target;
    private final boolean force;
    private @Nullable OutputStream out;

    /**
     * Looks whether it can be made, so that who records is told at once and not when the first line comes. What only making it
     * finds, such as a file of somebody else in a folder for everybody, is told then.
     *
     * @param target where it will stand
     * @param force whether it is written over where it is there
     * @throws Trouble if it cannot be made
     */
    RecordingFile(Path target, boolean force) {
        this.target = target;
        this.force = force;
        if (Files.isDirectory(target)) {
            throw new Trouble(
                    ExitCode.USAGE,
                    "nothing is recorded",
                    Printable.line(target.toString()) + " is a folder",
                    "name a file, such as "
                            + Shell.quoted(target.resolve("night.ndjson").toString()));
        }
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            if (!force) {
                throw thereAlready();
            }
            // Such as a device, or a link to one, which would be one no more. Other links are replaced.
            if ((Files.exists(target) && !Files.isRegularFile(target)) || isOfTheMachine()) {
                throw new Trouble(
                        ExitCode.USAGE,
                        "nothing is recorded",
                        Printable.line(target.toString()) + " is no file that can be written over",
                        "name another file");
            }
        }
        Path folder = folder();
        if (!Files.isDirectory(folder) || !Files.isWritable(folder)) {
            throw new Trouble(
                    ExitCode.ERROR,
                    "nothing is recorded",
                    Printable.line(folder.toString())
                            + (Files.isDirectory(folder) ? " cannot be written into" : " is no folder"),
                    "name a file in a folder of yours");
        }
    }

    /** {@return whether it is a link such as /dev/stdout, which leads to a file where the output does} */
    private boolean isOfTheMachine() {
        return Files.isSymbolicLink(target) && folder().equals(Path.of("/dev"));
    }

    private Path folder() {
        Path folder = target.toAbsolutePath().getParent();
        return folder == null ? target : folder;
    }

    /**
     * Adds a line, which is on its way to the disk then.
     *
     * @param line without its end
     * @throws Trouble if it cannot be written
     */
    void add(String line) {
        byte[] bytes = (line + "\n").getBytes(UTF_8);
        OutputStream before = out;
        if (before == null) {
            out = begun(bytes);
            return;
        }
        try {
            before.write(bytes);
        } catch (IOException e) {
            throw new Trouble(
                    ExitCode.ERROR,
                    "the recording ends",
                    Printable.line(target.toString()) + " cannot be written any more; the disk may be full",
                    "df " + Shell.quoted(target.toString()));
        }
    }

    private OutputStream begun(byte[] first) {
        try {
            if (!force) {
                return written(made(target), first);
            }
            // What is there goes only when there is something in its place. A temporary file is its owner's alone too.
            Path beside = Files.createTempFile(folder(), ".fastn-", ".part");
            OutputStream begun = written(beside, first);
            try {
                // A name may be on the disk before what it names, and then neither recording is there after a crash.
                try (FileChannel whole = FileChannel.open(beside, StandardOpenOption.WRITE)) {
                    whole.force(true);
                }
                Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
                return begun;
            } catch (IOException e) {
                Files.deleteIfExists(beside);
                try {
                    begun.close();
                } catch (IOException closing) {
                    e.addSuppressed(closing);
                }
                throw e;
            }
        } catch (FileAlreadyExistsException e) {
            throw thereAlready();
        } catch (IOException e) {
            throw new Trouble(
                    ExitCode.ERROR,
                    "nothing is recorded",
                    Printable.line(target.toString()) + " cannot be written (" + Printable.line(e.toString()) + ")",
                    "name a file in a folder of yours");
        }
    }

    /** Data of contexts may be secret, so nobody else reads it. */
    private static Path made(Path file) throws IOException {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? Files.createFile(
                        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))
                : Files.createFile(file);
    }

    private static OutputStream written(Path file, byte[] first) throws IOException {
        OutputStream out = null;
        try {
            out = Files.newOutputStream(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            out.write(first);
            return out;
        } catch (IOException e) {
            if (out != null) {
                out.close();
            }
            Files.deleteIfExists(file);
            throw e;
        }
    }

    private Trouble thereAlready() {
        return new Trouble(
                ExitCode.USAGE,
                "nothing is recorded",
                Printable.line(target.toString()) + " is there already",
                "name another file, or write over it with --force");
    }

    @Override
    public void close() {
        OutputStream written = out;
        if (written != null) {
            try {
                written.close();
            } catch (IOException e) {
                // Each line was written when it came, and nothing is left to be.
            }
        }
    }
}
