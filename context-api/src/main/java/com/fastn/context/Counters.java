package com.fastn.context;

import com.fastn.context.status.ContextPath;
import java.util.SortedMap;

/** The counters of all paths of a runtime. They outlive the contexts that counted. */
public interface Counters {

    /**
     * {@return the total count of a path}
     *
     * @param path the path
     * @param counter the counter's name
     */
    long total(ContextPath path, String counter);

    /**
     * {@return the live count of a path}
     *
     * @param path the path
     * @param counter the counter's name
     */
    long live(ContextPath path, String counter);

    /**
     * {@return the total count of a path and all paths below it}
     *
     * @param path the path
     * @param counter the counter's name
     */
    long subtreeTotal(ContextPath path, String counter);

    /**
     * {@return the live count of a path and all paths below it}
     *
     * @param path the path
     * @param counter the counter's name
     */
    long subtreeLive(ContextPath path, String counter);

    /**
     * {@return all counters of a path and all paths below it, for export: <code>path.counter</code> for totals and
     * <code>path.live_counter</code> for live counts}
     *
     * @param prefix the path to begin at
     */
    SortedMap<String, Long> flat(ContextPath prefix);
}
