package com.fastn.status.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * The secret that whoever asks has to send, as {@code Authorization: Bearer <token>} (rule S3). It stands in a file that its
 * owner alone can read (rule S20), and comes out of no {@code toString}.
 */
public final class AccessToken {
    private static final int BYTES = 32;
    private static final int SHORTEST = 32;
    private static final int LONGEST = 1_024;
    private static final String SCHEME = "Bearer ";
    private static final Set<PosixFilePermission> OWNER = Set.copyOf(PosixFilePermissions.fromString("rw-------"));
    private static final Set<PosixFilePermission> OTHERS = Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.GROUP_EXECUTE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE,
            PosixFilePermission.OTHERS_EXECUTE);

    private final byte[] digest;

    private AccessToken(String token) {
        this.digest = digest(token);
    }

    /**
     * Reads the token of a file; makes the file, with a random token of 256 bits, if it is not there. Nodes that do so at the same
     * time have the same token. Blocks.
     *
     * @param file where it stands
     * @return the token
     * @throws IllegalArgumentException if the file cannot be used; the message says why and what to do
     */
    public static AccessToken of(Path file) {
        try {
            if (!Files.exists(file)) {
                create(file);
            }
            PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
            if (view != null) {
                for (PosixFilePermission permission : view.readAttributes().permissions()) {
                    if (OTHERS.contains(permission)) {
                        throw new IllegalArgumentException("the token file " + file + " can be used by others than its"
                                + " owner ("
                                + PosixFilePermissions.toString(
                                        view.readAttributes().permissions())
                                + "), and so is no secret; say \"chmod 600 " + file + "\"");
                    }
                }
            }
            if (Files.size(file) > LONGEST) {
                throw new IllegalArgumentException("the token file " + file + " has more than " + LONGEST
                        + " bytes; it holds one token on one line");
            }
            String token = Files.readString(file, StandardCharsets.UTF_8).strip();
            if (token.length() < SHORTEST || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
                throw new IllegalArgumentException("the token file " + file + " holds no token of at least " + SHORTEST
                        + " letters, digits and signs; remove the file, and a new one is made");
            }
            return new AccessToken(token);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "the token file " + file + " cannot be read or made (" + e
                            + "); name a file in a folder that this process may write",
                    e);
        }
    }

    /** Makes the file whole, or not at all: another node may read it as soon as it is there. */
    private static void create(Path file) throws IOException {
        byte[] secret = new byte[BYTES];
        SecureRandom random = new SecureRandom();
        random.nextBytes(secret);
        Path aside = file.resolveSibling(file.getFileName() + "." + Long.toHexString(random.nextLong()) + ".tmp");
        boolean posix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] mode =
                posix ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER)} : new FileAttribute<?>[0];
        try {
            try (FileChannel channel =
                    FileChannel.open(aside, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), mode)) {
                ByteBuffer rest =
                        ByteBuffer.wrap((HexFormat.of().formatHex(secret) + "\n").getBytes(StandardCharsets.UTF_8));
                while (rest.hasRemaining()) {
                    channel.write(rest);
                }
                channel.force(true);
            }
            publish(aside, file);
        } catch (FileAlreadyExistsException e) {
            // Another node of this machine was faster, and its token is as good.
        } finally {
            Files.deleteIfExists(aside);
        }
    }

    private static void publish(Path aside, Path file) throws IOException {
        try {
            // A move would take the place of a file that came in between, and whose token a node may have read.
            Files.createLink(file, aside);
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (UnsupportedOperationException | FileSystemException e) {
            // No hard links here. This looks before it moves, so all that is left is the moment between the two.
            Files.move(aside, file);
        }
    }

    /**
     * {@return whether a request carries this token} Takes the same time whatever is wrong with it.
     *
     * @param authorizations the values of its header Authorization
     */
    boolean isIn(List<String> authorizations) {
        String value = authorizations.size() == 1 ? authorizations.get(0) : "";
        boolean bearer = value.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
        byte[] given = digest(bearer ? value.substring(SCHEME.length()) : value);
        boolean same = MessageDigest.isEqual(given, digest);
        return same && bearer;
    }

    private static byte[] digest(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
