package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The JSON form of a status, for programs: snake_case names, durations in {@code _ms}, times as RFC 3339, enums in lower
 * case, paths in dotted form.
 *
 * <p>Integers are always numbers; those from 2^53 on also stand as {@code <name>_text} beside it (rule M2). What is not known
 * is left out. Reading gives back what was written, except: durations are cut to whole milliseconds; numbers in
 * {@code data} come back as the smallest of Integer, Long, BigInteger or Double, BigDecimal that holds them, and those of more
 * than 32 characters, not-a-number and the infinities as text; texts of more than 65,536 characters are shortened, lone
 * surrogates replaced.
 *
 * <p>The reader ignores fields that it does not know and refuses, with a {@link StatusFormatException}, what is malformed,
 * cut off, too large (rule S13), or wants a newer reader. Neither direction recurses on the depth of the tree.
 */
public final class StatusJson {
    /** The version of the form that is written here. */
    static final int SCHEMA = 1;

    static final String COMPLETED = "completed";
    static final String FAILED = "failed";
    static final String CANCELLED = "cancelled";
    static final String SNAPSHOT_KIND = "status_snapshot";
    static final String CLUSTER_KIND = "cluster_status";
    static final String DELTA_KIND = "status_delta";
    static final String PAGE_KIND = "status_page";
    static final String EXPLANATION_KIND = "explanation";
    static final String DEADLOCK_KIND = "deadlock";
    static final String EPISODE_KIND = "wait_episode";

    private StatusJson() {}

    /**
     * Writes one node.
     *
     * @param snapshot what to write
     * @return the JSON on one line
     */
    public static String write(StatusSnapshot snapshot) {
        return text(requireNonNull(snapshot, "snapshot"), null, false);
    }

    /**
     * Writes a cluster.
     *
     * @param cluster what to write
     * @return the JSON on one line
     */
    public static String write(ClusterStatus cluster) {
        return text(null, requireNonNull(cluster, "cluster"), false);
    }

    /**
     * Writes one node as UTF-8 and flushes; the stream stays open.
     *
     * @param snapshot what to write
     * @param out where to
     * @throws UncheckedIOException if the stream fails
     */
    public static void write(StatusSnapshot snapshot, OutputStream out) {
        requireNonNull(snapshot, "snapshot");
        try (StatusJsonWriter writer = StatusJsonWriter.to(out)) {
            writer.write(snapshot);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Writes one node, whose tree is not made into records, as UTF-8 and flushes; the stream stays open. Each context's
     * record lives only while it is written.
     *
     * @param frame everything but the tree
     * @param tree the tree
     * @param out where to
     * @throws UncheckedIOException if the stream fails
     */
    public static void write(StatusSnapshot frame, FoldableTree tree, OutputStream out) {
        write(frame, tree, UnaryOperator.identity(), out);
    }

    /**
     * The same where what comes behind the tree may have changed while that was written.
     *
     * @param frame everything but the tree
     * @param tree the tree
     * @param afterTree is asked once the tree is written; what comes behind it is that of what it gives
     * @param out where to
     * @throws UncheckedIOException if the stream fails
     */
    public static void write(
            StatusSnapshot frame, FoldableTree tree, UnaryOperator<StatusSnapshot> afterTree, OutputStream out) {
        requireNonNull(frame, "frame");
        requireNonNull(tree, "tree");
        requireNonNull(afterTree, "afterTree");
        try (StatusJsonWriter writer = StatusJsonWriter.to(out)) {
            writer.write(frame, tree, afterTree);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Writes a cluster as UTF-8 and flushes; the stream stays open.
     *
     * @param cluster what to write
     * @param out where to
     * @throws UncheckedIOException if the stream fails
     */
    public static void write(ClusterStatus cluster, OutputStream out) {
        requireNonNull(cluster, "cluster");
        try (StatusJsonWriter writer = StatusJsonWriter.to(out)) {
            writer.write(cluster);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Writes what changed.
     *
     * @param delta what to write
     * @return the JSON on one line
     */
    public static String write(SnapshotDelta delta) {
        requireNonNull(delta, "delta");
        return text(writer -> writer.write(delta));
    }

    /**
     * Writes one node for people.
     *
     * @param snapshot what to write
     * @return the JSON on many lines
     */
    public static String writePretty(StatusSnapshot snapshot) {
        return text(requireNonNull(snapshot, "snapshot"), null, true);
    }

    /**
     * Writes a cluster for people.
     *
     * @param cluster what to write
     * @return the JSON on many lines
     */
    public static String writePretty(ClusterStatus cluster) {
        return text(null, requireNonNull(cluster, "cluster"), true);
    }

    /**
     * Reads one node within {@link ReadLimits#DEFAULT}.
     *
     * @param json the JSON
     * @return the snapshot
     * @throws StatusFormatException if it cannot be understood
     */
    public static StatusSnapshot readSnapshot(String json) {
        return readSnapshot(json, ReadLimits.DEFAULT);
    }

    /**
     * Reads one node.
     *
     * @param json the JSON
     * @param limits how much to accept
     * @return the snapshot
     * @throws StatusFormatException if it cannot be understood
     */
    public static StatusSnapshot readSnapshot(String json, ReadLimits limits) {
        return StatusJsonReader.read(json, limits, SNAPSHOT_KIND, StatusJsonReader::snapshotDocument);
    }

    /**
     * Reads one node within {@link ReadLimits#DEFAULT}.
     *
     * @param json the JSON as UTF-8
     * @return the snapshot
     * @throws StatusFormatException if it cannot be understood
     */
    public static StatusSnapshot readSnapshot(byte[] json) {
        return readSnapshot(json, ReadLimits.DEFAULT);
    }

    /**
     * Reads one node.
     *
     * @param json the JSON as UTF-8
     * @param limits how much to accept
     * @return the snapshot
     * @throws StatusFormatException if it cannot be understood
     */
    public static StatusSnapshot readSnapshot(byte[] json, ReadLimits limits) {
        return readSnapshot(StatusJsonReader.decode(json, limits), limits);
    }

    /**
     * Reads a cluster within {@link ReadLimits#DEFAULT}. A node whose part wants a newer reader comes out without a snapshot and
     * with the reason.
     *
     * @param json the JSON
     * @return the cluster
     * @throws StatusFormatException if it cannot be understood
     */
    public static ClusterStatus readCluster(String json) {
        return readCluster(json, ReadLimits.DEFAULT);
    }

    /**
     * Reads a cluster.
     *
     * @param json the JSON
     * @param limits how much to accept
     * @return the cluster
     * @throws StatusFormatException if it cannot be understood
     */
    public static ClusterStatus readCluster(String json, ReadLimits limits) {
        return StatusJsonReader.read(json, limits, CLUSTER_KIND, StatusJsonReader::clusterDocument);
    }

    /**
     * Reads a cluster within {@link ReadLimits#DEFAULT}.
     *
     * @param json the JSON as UTF-8
     * @return the cluster
     * @throws StatusFormatException if it cannot be understood
     */
    public static ClusterStatus readCluster(byte[] json) {
        return readCluster(json, ReadLimits.DEFAULT);
    }

    /**
     * Reads a cluster.
     *
     * @param json the JSON as UTF-8
     * @param limits how much to accept
     * @return the cluster
     * @throws StatusFormatException if it cannot be understood
     */
    public static ClusterStatus readCluster(byte[] json, ReadLimits limits) {
        return readCluster(StatusJsonReader.decode(json, limits), limits);
    }

    /**
     * Reads what changed within {@link ReadLimits#DEFAULT}.
     *
     * @param json the JSON
     * @return the delta; only {@link SnapshotDelta#apply} finds out whether it fits
     * @throws StatusFormatException if it cannot be understood
     */
    public static SnapshotDelta readDelta(String json) {
        return readDelta(json, ReadLimits.DEFAULT);
    }

    /**
     * Reads what changed.
     *
     * @param json the JSON
     * @param limits how much to accept
     * @return the delta; only {@link SnapshotDelta#apply} finds out whether it fits
     * @throws StatusFormatException if it cannot be understood
     */
    public static SnapshotDelta readDelta(String json, ReadLimits limits) {
        return StatusJsonReader.read(json, limits, DELTA_KIND, StatusJsonReader::deltaDocument);
    }

    /**
     * Reads what changed.
     *
     * @param json the JSON as UTF-8
     * @param limits how much to accept
     * @return the delta; only {@link SnapshotDelta#apply} finds out whether it fits
     * @throws StatusFormatException if it cannot be understood
     */
    public static SnapshotDelta readDelta(byte[] json, ReadLimits limits) {
        return readDelta(StatusJsonReader.decode(json, limits), limits);
    }

    /**
     * Writes a page of contexts.
     *
     * @param page what to write
     * @return the JSON on one line
     */
    public static String write(StatusPage page) {
        requireNonNull(page, "page");
        return text(writer -> writer.write(page));
    }

    /**
     * Reads a page of contexts.
     *
     * @param json the JSON as UTF-8
     * @param limits how much to accept
     * @return the page
     * @throws StatusFormatException if it cannot be understood
     */
    public static StatusPage readPage(byte[] json, ReadLimits limits) {
        return StatusJsonReader.read(
                StatusJsonReader.decode(json, limits), limits, PAGE_KIND, StatusJsonReader::pageDocument);
    }

    /**
     * Writes an explanation.
     *
     * @param explanation what to write
     * @return the JSON on one line
     */
    public static String write(Explanation explanation) {
        requireNonNull(explanation, "explanation");
        return text(writer -> writer.write(explanation));
    }

    /**
     * Reads an explanation within {@link ReadLimits#DEFAULT}.
     *
     * @param json the JSON
     * @return what was written
     * @throws StatusFormatException if it cannot be understood
     */
    public static Explanation readExplanation(String json) {
        return StatusJsonReader.read(
                json, ReadLimits.DEFAULT, EXPLANATION_KIND, reader -> new CauseJsonReader(reader).explanation());
    }

    /**
     * Writes a deadlock.
     *
     * @param report what to write
     * @return the JSON on one line
     */
    public static String write(DeadlockReport report) {
        requireNonNull(report, "report");
        return text(writer -> writer.write(report));
    }

    /**
     * Reads a deadlock within {@link ReadLimits#DEFAULT}.
     *
     * @param json the JSON
     * @return what was written
     * @throws StatusFormatException if it cannot be understood
     */
    public static DeadlockReport readDeadlock(String json) {
        return StatusJsonReader.read(
                json, ReadLimits.DEFAULT, DEADLOCK_KIND, reader -> new CauseJsonReader(reader).deadlock(true));
    }

    /**
     * Writes an episode.
     *
     * @param episode what to write
     * @return the JSON on one line
     */
    public static String write(WaitEpisode episode) {
        requireNonNull(episode, "episode");
        return text(writer -> writer.write(episode));
    }

    /**
     * Reads an episode within {@link ReadLimits#DEFAULT}.
     *
     * @param json the JSON
     * @return what was written
     * @throws StatusFormatException if it cannot be understood
     */
    public static WaitEpisode readEpisode(String json) {
        return StatusJsonReader.read(
                json, ReadLimits.DEFAULT, EPISODE_KIND, reader -> new CauseJsonReader(reader).episode(true));
    }

    /** Writes one document. */
    private interface Document {
        void write(StatusJsonWriter writer) throws IOException;
    }

    private static String text(Document document) {
        StringWriter out = new StringWriter();
        try (StatusJsonWriter writer = StatusJsonWriter.to(out, false)) {
            document.write(writer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString();
    }

    private static String text(@Nullable StatusSnapshot snapshot, @Nullable ClusterStatus cluster, boolean pretty) {
        StringWriter out = new StringWriter();
        try (StatusJsonWriter writer = StatusJsonWriter.to(out, pretty)) {
            if (snapshot != null) {
                writer.write(snapshot);
            }
            if (cluster != null) {
                writer.write(cluster);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString();
    }

    /**
     * How much a reader accepts (rule S13).
     *
     * @param maxLength of the document, in bytes or, read from a String, in characters
     * @param maxTreeDepth how many contexts may lie inside one another
     */
    public record ReadLimits(int maxLength, int maxTreeDepth) {
        /** 1 MiB and a tree of depth 1,000. */
        public static final ReadLimits DEFAULT = new ReadLimits(1 << 20, 1_000);

        /**
         * Checks that both are positive.
         *
         * @param maxLength of the document
         * @param maxTreeDepth how many contexts may lie inside one another
         */
        public ReadLimits {
            if (maxLength < 1 || maxTreeDepth < 1) {
                throw new IllegalArgumentException("limits must be positive, not %d bytes and depth %d; see DEFAULT"
                        .formatted(maxLength, maxTreeDepth));
            }
        }

        /**
         * Makes limits for longer or shorter documents.
         *
         * @param bytes the longest document accepted
         * @return the limits
         */
        public ReadLimits withMaxLength(int bytes) {
            return new ReadLimits(bytes, maxTreeDepth);
        }

        /**
         * Makes limits for deeper or flatter trees.
         *
         * @param contexts how many contexts may lie inside one another
         * @return the limits
         */
        public ReadLimits withMaxTreeDepth(int contexts) {
            return new ReadLimits(maxLength, contexts);
        }
    }
}
