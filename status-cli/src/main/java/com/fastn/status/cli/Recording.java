package com.fastn.status.cli;

import com.fastn.context.status.HumanText;
import com.fastn.context.status.StatusFormatException;
import com.fastn.context.status.StatusJson.ReadLimits;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was recorded, moment by moment. A recording is what {@code fastn status -w --json} prints: one document on each line.
 *
 * <p>It may be far larger than the memory of this process, so a moment is where its line stands, which is read when it is shown.
 *
 * @param file where it stands
 * @param moments the moments, in their order
 * @param torn whether it ends within a line, which is left out
 */
record Recording(Path file, List<Moment> moments, boolean torn) {
    /** Where each moment stands is kept in memory, of which so many take 32 MB: five days of one each second. */
    private static final int MOST_MOMENTS = 500_000;

    /** So many bytes of a line are read, which may be of several nodes. */
    static final int LONGEST_LINE = 16 << 20;

    private static final ReadLimits LIMITS = Inquiry.LIMITS.withMaxLength(LONGEST_LINE);
    private static final int BUFFER = 64 << 10;

    /**
     * One moment.
     *
     * @param at when it was, by the clock of the node
     * @param offset where its line begins in the file
     * @param length how many bytes the line has
     */
    record Moment(Instant at, long offset, int length) {}

    /**
     * Finds the moments of a recording.
     *
     * @param file where it stands
     * @return the recording
     * @throws Trouble if it is none
     */
    static Recording read(Path file) {
        return read(file, MOST_MOMENTS);
    }

    /** The same with another number of moments that there may be. */
    static Recording read(Path file, int most) {
        List<Moment> moments = new ArrayList<>();
        boolean torn = false;
        int number = 0;
        try (InputStream bytes = new BufferedInputStream(Files.newInputStream(file), BUFFER)) {
            long offset = 0;
            for (byte[] line = line(bytes); line.length > 0; line = line(bytes)) {
                number++;
                if (line.length > LONGEST_LINE) {
                    throw wrong(
                            file,
                            "line " + number + " is longer than " + (LONGEST_LINE >> 20) + " MiB",
                            "make one: fastn record FILE");
                }
                Moment moment = null;
                try {
                    moment = moment(line, offset);
                } catch (StatusFormatException | CharacterCodingException e) {
                    // Who recorded may have been killed within the last line.
                    if (line[line.length - 1] == '\n' || moments.isEmpty()) {
                        throw e;
                    }
                    torn = true;
                }
                if (moment != null) {
                    if (moments.size() == most) {
                        throw wrong(
                                file,
                                "it has more than " + HumanText.count(most)
                                        + " moments, and where each of them stands is kept in memory",
                                "replay a part of it: head -n " + most + ", or tail -n " + most);
                    }
                    moments.add(moment);
                }
                offset += line.length;
            }
        } catch (StatusFormatException e) {
            throw wrong(
                    file,
                    "line " + number + ": " + Printable.line(e.what() + ": " + e.why()),
                    moments.isEmpty()
                            ? "make one: fastn record FILE"
                            : "a recording that was cut off can be replayed up to there: head -n " + (number - 1));
        } catch (NoSuchFileException e) {
            throw wrong(file, "there is no such file", "make one: fastn record FILE");
        } catch (CharacterCodingException e) {
            throw wrong(file, "line " + number + " is no UTF-8", "make one: fastn record FILE");
        } catch (IOException e) {
            throw wrong(file, Printable.line(e.toString()), "look at its permissions");
        }
        if (moments.isEmpty()) {
            throw wrong(file, "nothing is in it", "make one: fastn record FILE");
        }
        return new Recording(file, List.copyOf(moments), torn);
    }

    /** {@return what a line is, with or without its end, or {@code null} when it is blank} */
    private static @Nullable Moment moment(byte[] line, long offset) throws CharacterCodingException {
        String text = text(line).strip();
        return text.isEmpty() ? null : new Moment(Inquiry.answer(text, LIMITS).at(), offset, line.length);
    }

    /**
     * Reads a line with its end. Without a line, and at the end of the file, it is empty; of one that is too long it is a part.
     */
    private static byte[] line(InputStream bytes) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = bytes.read(); next >= 0; next = bytes.read()) {
            line.write(next);
            if (next == '\n' || line.size() > LONGEST_LINE) {
                break;
            }
        }
        return line.toByteArray();
    }

    private static String text(byte[] line) throws CharacterCodingException {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
    }

    /**
     * Reads what was said at a moment.
     *
     * @param index the moment
     * @return what was said
     * @throws Trouble if the file has changed meanwhile
     */
    Answer answer(int index) {
        Moment moment = moments.get(index);
        ByteBuffer line = ByteBuffer.allocate(moment.length());
        try (SeekableByteChannel bytes = Files.newByteChannel(file)) {
            bytes.position(moment.offset());
            while (line.hasRemaining() && bytes.read(line) >= 0) {
                // The rest is next.
            }
            return Inquiry.answer(text(line.array()).strip(), LIMITS);
        } catch (StatusFormatException | IOException e) {
            throw wrong(
                    file,
                    "moment " + (index + 1) + " cannot be read any more (" + Printable.line(e.toString()) + ")",
                    "replay it when nothing writes to it");
        }
    }

    /**
     * {@return how long after this moment the next one came; clocks of nodes may go back and then it is nothing}
     *
     * @param index the moment
     */
    Duration untilNext(int index) {
        if (index + 1 >= moments.size()) {
            return Duration.ZERO;
        }
        Duration between =
                Duration.between(moments.get(index).at(), moments.get(index + 1).at());
        return between.isNegative() ? Duration.ZERO : between;
    }

    private static Trouble wrong(Path file, String why, String next) {
        return new Trouble(ExitCode.ERROR, Printable.line(file.toString()) + " is not replayed", why, next);
    }
}
