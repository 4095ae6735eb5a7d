package com.fastn.context;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.CounterWindows;
import java.util.SortedMap;

/**
 * The counters of all paths of a runtime. They outlive the contexts that counted.
 *
 * <p>They are bounded: 2,000 counter names are kept apart in a path, and 100,000 paths and 100,000 counters in a runtime
 * (rule M4). When these are nearly used up, the paths that ended least recently are folded: their counts move to the path
 * {@code __folded__} beside them, so that sums of the paths above stay exact. Paths of open contexts are not folded; where
 * those leave no room, contexts of further paths are counted in {@code __folded__} of their parent. Names beyond the first
 * 2,000 of a path are counted together as its counter {@code __folded__}. A warning in the log says so once.
 */
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
     * <code>path.live_counter</code> for live counts} No two have one key: a total counter whose own name begins with
     * {@code live_} has a backslash before it, as in <code>path.\live_counter</code>, which {@link ContextPath#parse} reads
     * back to the name.
     *
     * <p>Keys of 33,554,432 characters in all are told apart, about, those of paths near the prefix first; what is counted in
     * others is summed up by name as of the path {@code __folded__} below the prefix.
     *
     * @param prefix the path to begin at
     */
    SortedMap<String, Long> flat(ContextPath prefix);

    /**
     * {@return whether a total count reached {@link Long#MAX_VALUE}} It stays there, whatever is added (rule M1).
     *
     * @param path the path
     * @param counter the counter's name
     */
    boolean overflowed(ContextPath path, String counter);

    /**
     * {@return how many contexts of a path and of all paths below it ended lately, of those that were marked with {@link
     * FastnContext#persist}} What is counted in {@code __folded__} of a path is counted in the path's windows too.
     *
     * @param path the path
     */
    Windows windows(ContextPath path);

    /**
     * {@return how much a total counter of a path, and of all paths below it, grew lately} A counter costs nothing more than
     * its count until its windows are asked for; they count from then on, and the status shows them from then on. A path with
     * windows is not folded, and there are 1,000 windows at most: those that nobody asked for within a minute make room for
     * others, and where there are none only the total is told, which is counted as misuse.
     *
     * @param path the path; contexts of it may come later
     * @param counter the counter's name
     */
    CounterWindows windows(ContextPath path, String counter);

    /**
     * {@return how often a path was folded: moved to {@code __folded__} of its parent after its contexts had ended, or
     * counted there from the start because there was no room}
     */
    long folded();
}
