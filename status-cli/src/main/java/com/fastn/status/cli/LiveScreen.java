package com.fastn.status.cli;

import com.fastn.context.status.DisplayWidth;
import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/**
 * A terminal that shows one picture after another in the same place. Each is one write: home, the lines, each with what was
 * right of it cleared, and what was below cleared. Nothing is blank in between, so nothing flickers.
 */
final class LiveScreen implements Suspension.Holder, AutoCloseable {
    private static final String HOME = "\u001b[H";
    private static final String CLEAR = "\u001b[2J";
    private static final String CLEAR_RIGHT = "\u001b[K";
    private static final String CLEAR_BELOW = "\u001b[J";
    private static final String HIDE_CURSOR = "\u001b[?25l";
    private static final String SHOW_CURSOR = "\u001b[?25h";
    private static final String ENTER_ALTERNATE = "\u001b[?1049h";
    private static final String LEAVE_ALTERNATE = "\u001b[?1049l";

    private final PrintStream out;
    private final boolean alternate;
    private final Thread restoring = new Thread(this::restore, "fastn-cursor");
    private @Nullable String shown;
    private Size place = Size.UNKNOWN;
    /** What is to be shown, whether it is or not. */
    private String wanted = "";

    private Size wantedPlace = Size.UNKNOWN;
    private boolean left;
    private boolean closed;

    /**
     * Makes a screen. The cursor comes back however the program ends, unless it is killed.
     *
     * @param out the terminal
     */
    LiveScreen(PrintStream out) {
        this(out, false);
    }

    private LiveScreen(PrintStream out, boolean alternate) {
        this.out = out;
        this.alternate = alternate;
        Runtime.getRuntime().addShutdownHook(restoring);
    }

    /** {@return a screen beside the one that is there, which comes back in the end} */
    static LiveScreen alternate(PrintStream out) {
        return new LiveScreen(out, true);
    }

    /**
     * Shows a picture, unless it is there already.
     *
     * @param picture lines, each ended by a line feed, none wider than the terminal
     * @param size the terminal; lines that do not fit are left out, and it is said how many
     */
    synchronized void show(String picture, Size size) {
        wanted = picture;
        wantedPlace = size;
        if (left) {
            return;
        }
        String fitted = fitted(picture, size, "fastn top scrolls");
        boolean resized = !size.equals(place);
        if (closed || (fitted.equals(shown) && !resized)) {
            return;
        }
        place = size;
        StringBuilder frame = new StringBuilder(fitted.length() + 1_024);
        frame.append(shown == null ? (alternate ? ENTER_ALTERNATE : "") + HIDE_CURSOR + CLEAR : "")
                // A terminal that got another size has put its lines elsewhere.
                .append(shown != null && resized ? CLEAR : "")
                .append(HOME);
        int begin = 0;
        for (int end = fitted.indexOf('\n'); end >= 0; end = fitted.indexOf('\n', begin)) {
            // Before the text: behind a line that fills its row, this would clear the last character.
            frame.append(CLEAR_RIGHT).append(fitted, begin, end);
            begin = end + 1;
            frame.append(begin < fitted.length() ? "\r\n" : "");
        }
        frame.append(size.rows() > 0 && rows(fitted) >= size.rows() ? "" : "\r\n" + CLEAR_BELOW);
        // From here on a part of it may be there, whatever becomes of the rest.
        shown = fitted;
        out.print(frame);
        out.flush();
    }

    private static long rows(String text) {
        return text.chars().filter(c -> c == '\n').count();
    }

    /**
     * {@return a picture with as many lines as there are, the last of which tells how many are not shown}
     *
     * @param picture lines, each ended by a line feed
     * @param size the terminal
     * @param hint how to see the others
     */
    static String fitted(String picture, Size size, String hint) {
        int rows = size.rows();
        long lines = rows(picture);
        if (rows <= 1 || lines <= rows) {
            return picture;
        }
        int end = 0;
        for (int i = 0; i < rows - 1; i++) {
            end = picture.indexOf('\n', end) + 1;
        }
        String rest = "+" + (lines - rows + 1) + " more lines; " + hint;
        return picture.substring(0, end) + (size.columns() > 0 ? DisplayWidth.cut(rest, size.columns()) : rest) + "\n";
    }

    @Override
    public synchronized void leave() {
        left = true;
        if (!closed && shown != null) {
            shown = null;
            out.print(SHOW_CURSOR + (alternate ? LEAVE_ALTERNATE : "\r\n"));
            out.flush();
        }
    }

    /** Draws what is known by now, whole: of what was there nothing need be left. */
    @Override
    public synchronized void comeBack() {
        left = false;
        if (!wanted.isEmpty()) {
            show(wanted, wantedPlace);
        }
    }

    private synchronized void restore() {
        leave();
        closed = true;
    }

    /** Gives the cursor back. A second call has no effect. */
    @Override
    public void close() {
        restore();
        try {
            Runtime.getRuntime().removeShutdownHook(restoring);
        } catch (IllegalStateException e) {
            // The virtual machine ends already, and the hook finds nothing to do.
        }
    }
}
