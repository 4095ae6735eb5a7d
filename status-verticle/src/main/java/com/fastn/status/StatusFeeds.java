package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.status.http.HttpQuestion;
import com.fastn.status.http.StreamReader;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What is streamed to whoever watches: one {@link StatusFeed} for each different question, however many ask it. While nobody
 * watches it costs nothing.
 */
final class StatusFeeds implements AutoCloseable {
    private final PortThreads threads;
    private final LocalStatus local;
    private final ClusterAnswers cluster;
    private final BusDoor bus;
    private final Ticker ticker;
    private final Duration pace;

    /** Those of this node alone, read by every thread that changes something. Of the cluster the bus tells, this node included. */
    private final List<StatusFeed> ofThisNode = new CopyOnWriteArrayList<>();

    @GuardedBy("this")
    private final Map<StatusRequest, StatusFeed> feeds = new HashMap<>();

    @GuardedBy("this")
    private @Nullable Registration changes;

    StatusFeeds(
            PortThreads threads, LocalStatus local, ClusterAnswers cluster, BusDoor bus, Ticker ticker, Duration pace) {
        this.threads = threads;
        this.local = local;
        this.cluster = cluster;
        this.bus = bus;
        this.ticker = ticker;
        this.pace = pace;
    }

    /**
     * Opens a reader.
     *
     * @param question what to watch
     * @param news told when there may be something to read
     * @return the reader
     */
    StreamReader open(HttpQuestion question, Runnable news) {
        StatusRequest request = StatusRequest.stream(question);
        StatusRequest key = new StatusRequest(request.query(), request.cluster(), request.recent(), false);
        StatusFeed feed;
        StatusFeed.Reader reader;
        synchronized (this) {
            if (changes == null && !request.cluster()) {
                changes = local.onFirstChange(() -> ofThisNode.forEach(StatusFeed::changed));
            }
            StatusFeed known = feeds.get(key);
            feed = known != null ? known : new StatusFeed(key, threads, local, cluster, bus, ticker, pace);
            if (known == null) {
                feeds.put(key, feed);
                if (!request.cluster()) {
                    ofThisNode.add(feed);
                }
            }
            reader = feed.newReader(request.deltas(), news, () -> closed(key));
        }
        feed.proceed();
        return reader;
    }

    private synchronized void closed(StatusRequest key) {
        StatusFeed feed = feeds.get(key);
        if (feed == null || feed.isWatched()) {
            return;
        }
        feeds.remove(key);
        ofThisNode.remove(feed);
        feed.close();
        if (ofThisNode.isEmpty() && changes != null) {
            changes.close();
            changes = null;
        }
    }

    /** Ends all of them. */
    @Override
    public synchronized void close() {
        feeds.values().forEach(StatusFeed::close);
        feeds.clear();
        ofThisNode.clear();
        if (changes != null) {
            changes.close();
            changes = null;
        }
    }
}
