package com.fastn.status.cli;

import com.fastn.context.status.StatusFormatException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What was recorded, moment by moment. A recording is what {@code fastn status -w --json} prints: one document on each line.
 *
 * @param moments the moments, in their order
 */
record Recording(List<Moment> moments) {
    private static final long LARGEST = 512L << 20;

    /**
     * One moment.
     *
     * @param at when it was, by the clock of the node
     * @param line what was said, as JSON
     */
    record Moment(Instant at, String line) {
        /** {@return what was said} */
        Answer answer() {
            return Inquiry.answer(line);
        }
    }

    /**
     * Reads a recording.
     *
     * @param file where it stands
     * @return the recording
     * @throws Trouble if it is none
     */
    static Recording read(Path file) {
        List<Moment> moments = new ArrayList<>();
        int number = 0;
        try {
            if (Files.exists(file) && Files.size(file) > LARGEST) {
                throw wrong(
                        file,
                        "it is larger than " + (LARGEST >> 20) + " MiB",
                        "replay a part of it, such as head -n 1000");
            }
            try (BufferedReader lines = Files.newBufferedReader(file)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    number++;
                    if (!line.isBlank()) {
                        moments.add(new Moment(at(Inquiry.answer(line)), line));
                    }
                }
            }
        } catch (StatusFormatException e) {
            throw wrong(
                    file,
                    "line " + number + ": " + Printable.line(e.what() + ": " + e.why()),
                    "a recording that was cut off can be replayed up to there: head -n " + (number - 1));
        } catch (NoSuchFileException e) {
            throw wrong(file, "there is no such file", "make one: fastn record FILE");
        } catch (MalformedInputException e) {
            throw wrong(file, "line " + (number + 1) + " is no UTF-8", "make one: fastn record FILE");
        } catch (IOException e) {
            throw wrong(file, Printable.line(e.toString()), "look at its permissions");
        }
        if (moments.isEmpty()) {
            throw wrong(file, "nothing is in it", "make one: fastn record FILE");
        }
        return new Recording(List.copyOf(moments));
    }

    private static Instant at(Answer answer) {
        return answer instanceof Answer.OfCluster cluster
                ? cluster.cluster().timestamp()
                : ((Answer.OfNode) answer).snapshot().timestamp();
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
