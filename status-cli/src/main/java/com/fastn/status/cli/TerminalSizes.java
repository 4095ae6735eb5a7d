package com.fastn.status.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Asks the terminal for its size, as the launcher did when the command began: a window may have been resized since. */
final class TerminalSizes {
    private static final Pattern ROWS_AND_COLUMNS = Pattern.compile("(\\d{1,5}) (\\d{1,5})\\s*");

    private TerminalSizes() {}

    /** {@return the size now, or {@link Size#UNKNOWN} where nobody tells} */
    static Size measure() {
        try {
            Process stty = new ProcessBuilder("sh", "-c", "stty size </dev/tty 2>/dev/null")
                    .redirectErrorStream(true)
                    .start();
            stty.getOutputStream().close();
            if (!stty.waitFor(1, TimeUnit.SECONDS)) {
                stty.destroyForcibly();
                return Size.UNKNOWN;
            }
            Matcher size = ROWS_AND_COLUMNS.matcher(
                    new String(stty.getInputStream().readNBytes(64), StandardCharsets.US_ASCII));
            return size.matches()
                    ? new Size(Integer.parseInt(size.group(2)), Integer.parseInt(size.group(1)))
                    : Size.UNKNOWN;
        } catch (IOException e) {
            return Size.UNKNOWN;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Size.UNKNOWN;
        }
    }
}
