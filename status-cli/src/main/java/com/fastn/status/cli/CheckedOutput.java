package com.fastn.status.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** An output that remembers why it could not be written: a print stream tells only that. */
final class CheckedOutput extends FilterOutputStream {
    private volatile @Nullable IOException failure;

    CheckedOutput(OutputStream out) {
        super(out);
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            out.write(bytes, offset, length);
        } catch (IOException e) {
            failure = failure == null ? e : failure;
            throw e;
        }
    }

    /**
     * {@return why something that was to be written is lost, or {@code null}} Who closes a pipe has all that it wanted, and nothing
     * is lost.
     */
    @Nullable
    Trouble trouble() {
        IOException e = failure;
        String why = e == null ? "" : String.valueOf(e.getMessage());
        if (e == null || why.contains("Broken pipe") || why.contains("pipe is being closed")) {
            return null;
        }
        return new Trouble(
                ExitCode.ERROR,
                "what was asked for is not all written",
                "the standard output takes no more (" + Printable.line(why) + ")",
                "make room where it goes to, or send it elsewhere");
    }
}
