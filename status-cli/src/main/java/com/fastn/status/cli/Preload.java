package com.fastn.status.cli;

import com.fastn.context.status.StatusJson;
import java.io.IOException;
import java.io.InputStream;

/**
 * Readies what a look at a status needs, while the command line is still being read: a third of the time that such a look takes is
 * classes that are initialised one after the other, and a second processor does that beside it.
 */
final class Preload implements Runnable {
    private Preload() {}

    /** Begins on a thread of its own, if there is a processor for it. What it does has no effect but speed. */
    static void begin() {
        if (Runtime.getRuntime().availableProcessors() > 1) {
            // No lambda: the first one of a process has to be readied too, and not before this begins.
            Thread thread = new Thread(new Preload(), "fastn-preload");
            thread.setDaemon(true);
            thread.start();
        }
    }

    @Override
    public void run() {
        try (InputStream picture = Preload.class.getResourceAsStream("warm-up.json")) {
            Exchange.load();
            if (picture != null) {
                var unused = new Answer.OfNode(StatusJson.readSnapshot(picture.readAllBytes(), Inquiry.LIMITS))
                        .drawn(new Terminal(true, true, false, 0).renderer());
            }
        } catch (IOException | RuntimeException e) {
            // Whoever needs it meets it again, and tells.
        }
    }
}
