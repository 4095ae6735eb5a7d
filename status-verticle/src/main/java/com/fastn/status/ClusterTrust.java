package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.WarningIds;
import com.fastn.context.status.BlockedPlace;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.Causes;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WaitEpisode;
import com.fastn.context.status.WarningSeverity;
import com.fastn.status.http.HttpSettings;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.NodeInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Whether this node may tell the others all that it knows (rule S4). The bus of Vert.x believes whoever reaches its port, so
 * data values are told only where nobody else can reach it, as far as can be seen, or where the operator says so.
 */
final class ClusterTrust {
    /** The id of the warning. */
    static final String WARNING_ID = WarningIds.CLUSTER_NOT_AUTHENTICATED;

    /** A failure is told as its class, and then what it said. */
    private static final Pattern FAILURE_KIND = Pattern.compile("[\\w$]+(?=:|$)");
    /** A line of code within a sentence: a frame, or its file alone. Those of classes without line tables have no number. */
    private static final Pattern PLACE = Pattern.compile("(?:, taken|, asked)? at (?:\\S+:\\d+\\)?"
            + "|\\S+\\((?:Unknown Source|Native Method|[^\\s()]+)\\)"
            + "|Unknown Source|Native Method|\\S+\\.(?:java|kt|scala|groovy)\\b)");

    private final boolean trusted;

    private ClusterTrust(boolean trusted) {
        this.trusted = trusted;
    }

    static ClusterTrust of(Vertx vertx, boolean trustCluster) {
        ClusterManager manager = vertx instanceof VertxInternal internal ? internal.clusterManager() : null;
        if (manager == null || trustCluster) {
            return new ClusterTrust(true);
        }
        NodeInfo own = manager.getNodeInfo();
        return new ClusterTrust(own != null && HttpSettings.isLoopback(own.host()));
    }

    /** {@return whether everything is told} */
    boolean isTrusted() {
        return trusted;
    }

    /** {@return the warning that belongs into every status, or {@code null} where there is nothing to warn of} */
    @Nullable
    StatusWarning warning(String rootPath) {
        if (trusted) {
            return null;
        }
        return new StatusWarning(
                WARNING_ID,
                WarningSeverity.WARNING,
                "the nodes of this cluster do not prove who they are, so data values are not told to other nodes",
                rootPath,
                "give the event bus mutual TLS or an isolated network, and then set the option \"trustCluster\"");
    }

    /**
     * {@return the snapshot as others may see it: names, times, counters and locks, without values, words of the application
     * and places in its code}
     */
    StatusSnapshot forOthers(StatusSnapshot snapshot) {
        if (trusted) {
            return snapshot;
        }
        return snapshot.withGlobalContext(withoutData(snapshot.globalContext()))
                .withLocks(
                        snapshot.activeLocks().stream()
                                .map(LockStatus::withoutPlace)
                                .toList(),
                        snapshot.lockWaiters().stream()
                                .map(LockWaiter::withoutPlace)
                                .toList())
                .withRecent(snapshot.recent().stream()
                        .map(ClusterTrust::withoutWords)
                        .toList())
                .withCauses(withoutPlaces(snapshot.causes()))
                .withWarnings(snapshot.warnings().stream()
                        .map(ClusterTrust::withoutPlaces)
                        .toList());
    }

    /** {@return a context without children as others may see it} */
    ContextStatus forOthers(ContextStatus bare) {
        return trusted ? bare : withoutData(bare, List.of());
    }

    /**
     * {@return the status with another word of this node about itself} What others told of themselves they told as they saw fit.
     *
     * @param self this node
     * @param change what becomes of its snapshot
     */
    static ClusterStatus withOwn(ClusterStatus status, NodeIdentity self, UnaryOperator<StatusSnapshot> change) {
        List<NodeStatus> rows = new ArrayList<>();
        for (NodeStatus row : status.nodes()) {
            StatusSnapshot snapshot = row.snapshot();
            rows.add(
                    snapshot == null || !row.node().equals(self)
                            ? row
                            : new NodeStatus(
                                    row.node(),
                                    row.state(),
                                    row.age(),
                                    row.reason(),
                                    row.summary(),
                                    change.apply(snapshot)));
        }
        return new ClusterStatus(status.timestamp(), status.answeredBy(), rows);
    }

    private static ContextStatus withoutData(ContextStatus root) {
        List<ContextStatus> order = new ArrayList<>(List.of(root));
        for (int i = 0; i < order.size(); i++) {
            order.addAll(order.get(i).children());
        }
        // From the leaves up, without recursion: a tree may be deep.
        Map<Long, ContextStatus> bare = new HashMap<>();
        for (int i = order.size() - 1; i >= 0; i--) {
            ContextStatus context = order.get(i);
            List<ContextStatus> children = new ArrayList<>();
            for (ContextStatus child : context.children()) {
                ContextStatus done = bare.remove(child.id());
                if (done != null) {
                    children.add(done);
                }
            }
            bare.put(context.id(), withoutData(context, children));
        }
        return requireNonNull(bare.get(root.id()));
    }

    private static ContextStatus withoutData(ContextStatus context, List<ContextStatus> children) {
        CancelReason reason = context.cancelReason();
        return new ContextStatus(
                context.id(),
                context.name(),
                context.label(),
                context.path(),
                context.kind(),
                context.state(),
                reason == null ? null : withoutWords(reason),
                context.trouble(),
                context.duration(),
                context.lastActivity(),
                null,
                context.onThread(),
                context.caller(),
                context.operations(),
                withoutTexts(context.metrics()),
                Map.of(),
                context.totalCounters(),
                context.liveCounters(),
                context.subtreeTotalCounters(),
                context.subtreeLiveCounters(),
                children,
                context.foldedChildren());
    }

    private static Map<String, MetricValue> withoutTexts(Map<String, MetricValue> metrics) {
        Map<String, MetricValue> numbers = new LinkedHashMap<>(metrics);
        numbers.values().removeIf(MetricValue.Text.class::isInstance);
        return numbers;
    }

    private static CancelReason withoutWords(CancelReason reason) {
        return new CancelReason(reason.kind(), reason.kind().name().toLowerCase(Locale.ROOT), reason.source());
    }

    private static FinishedContext withoutWords(FinishedContext finished) {
        return new FinishedContext(
                finished.id(),
                finished.path(),
                finished.label(),
                finished.kind(),
                finished.startedAt(),
                finished.endedAt(),
                finished.duration(),
                withoutWords(finished.outcome()),
                finished.pathTotals(),
                finished.caller(),
                null);
    }

    private static FinishedContext.Outcome withoutWords(FinishedContext.Outcome outcome) {
        if (outcome instanceof FinishedContext.Failed failed) {
            Matcher kind = FAILURE_KIND.matcher(failed.message());
            return new FinishedContext.Failed(kind.lookingAt() ? kind.group() : "failed");
        }
        if (outcome instanceof FinishedContext.Cancelled cancelled) {
            return new FinishedContext.Cancelled(withoutWords(cancelled.reason()));
        }
        return outcome;
    }

    private static Causes withoutPlaces(Causes causes) {
        return new Causes(
                causes.deadlocks().stream().map(ClusterTrust::withoutPlaces).toList(),
                causes.blocked().stream()
                        .map(place -> new BlockedPlace(
                                place.kind(),
                                place.name(),
                                place.since(),
                                "",
                                place.busy(),
                                place.waiting(),
                                place.queued(),
                                place.unknown()))
                        .toList(),
                causes.episodes().stream()
                        .map(episode -> new WaitEpisode(
                                episode.start(),
                                episode.end(),
                                episode.lasted(),
                                episode.kind(),
                                episode.name(),
                                episode.root(),
                                withoutPlaces(episode.rootText()),
                                episode.mostWaiters()))
                        .toList());
    }

    private static DeadlockReport withoutPlaces(DeadlockReport report) {
        return new DeadlockReport(
                report.proven(),
                report.foundAt(),
                report.parties().stream()
                        .map(party -> new DeadlockReport.Party(
                                party.context(),
                                party.holds().stream()
                                        .map(hold -> new DeadlockReport.Hold(
                                                hold.lockName(),
                                                hold.lockId(),
                                                hold.lockType(),
                                                hold.mode(),
                                                hold.permits(),
                                                hold.totalPermits(),
                                                hold.held(),
                                                hold.scoped(),
                                                null,
                                                hold.by()))
                                        .toList(),
                                party.waitsFor(),
                                party.lockId(),
                                party.lockType(),
                                party.mode(),
                                party.permits(),
                                party.totalPermits(),
                                party.waited(),
                                party.timesOutIn(),
                                null,
                                party.ahead()))
                        .toList(),
                report.size(),
                report.resolvesWithin());
    }

    private static StatusWarning withoutPlaces(StatusWarning warning) {
        String next = warning.next();
        return new StatusWarning(
                warning.id(),
                warning.severity(),
                withoutPlaces(warning.message()),
                warning.contextPath(),
                warning.contextId(),
                next == null ? null : withoutPlaces(next),
                warning.since());
    }

    private static String withoutPlaces(String text) {
        return PLACE.matcher(text).replaceAll("");
    }
}
