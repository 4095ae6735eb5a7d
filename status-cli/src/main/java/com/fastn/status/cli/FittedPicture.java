package com.fastn.status.cli;

import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusRenderer.Part;
import com.fastn.context.status.StatusSnapshot;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A drawing that is made to fit a screen. The tree gives way first, where those in trouble stay to the last; then the machine; then
 * the rest of the tree; then the locks. What is wrong is what somebody looks for.
 *
 * @param rows lines of the screen, or 0 when it is not known
 * @param renderer draws
 * @param drawing what is drawn
 */
record FittedPicture(int rows, StatusRenderer renderer, Drawing drawing) {
    private static final int LINES_AROUND_A_TREE = 8;
    private static final int FEWEST_TREE_LINES = 3;
    private static final String LEFT_OUT = "the tree is left out, for it does not fit; fastn top scrolls\n";

    /** Draws something. */
    @FunctionalInterface
    interface Drawing {
        String drawn(StatusRenderer renderer, UnaryOperator<StatusSnapshot> change);
    }

    /**
     * {@return the drawing; it may still be too high, when what is wrong alone is}
     *
     * @param parted whether it has parts that can be left out
     */
    String drawn(boolean parted) {
        String whole = drawing.drawn(renderer, UnaryOperator.identity());
        if (rows <= 0 || lines(whole) <= rows) {
            return whole;
        }
        String folded = folded(UnaryOperator.identity());
        if (lines(folded) <= rows || !parted) {
            return folded;
        }
        String small = folded(Answer::withoutMachine);
        if (lines(small) <= rows) {
            return small;
        }
        String wrong = only(EnumSet.of(Part.LOCKS, Part.WARNINGS));
        return lines(wrong) <= rows ? wrong : only(EnumSet.of(Part.WARNINGS));
    }

    /** The tree as high as it can be, by what the rest takes when it is as low as it can be. */
    private String folded(UnaryOperator<StatusSnapshot> change) {
        String high = drawing.drawn(renderer.maxTreeLines(rows - LINES_AROUND_A_TREE), change);
        if (lines(high) <= rows) {
            return high;
        }
        String low = drawing.drawn(renderer.maxTreeLines(FEWEST_TREE_LINES), change);
        long free = rows - lines(low);
        if (free <= 0) {
            return low;
        }
        // There may be several trees, and a fold takes a line where a context did, so it is tried.
        for (long more = free; more > 0; more /= 2) {
            String higher = drawing.drawn(renderer.maxTreeLines((int) (FEWEST_TREE_LINES + more)), change);
            if (lines(higher) <= rows) {
                return higher;
            }
        }
        return low;
    }

    private String only(Set<Part> parts) {
        return drawing.drawn(renderer.only(parts), UnaryOperator.identity()) + LEFT_OUT;
    }

    private static long lines(String text) {
        return text.chars().filter(c -> c == '\n').count();
    }
}
