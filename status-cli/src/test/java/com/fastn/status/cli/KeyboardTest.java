package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.status.cli.Key.Kind;
import java.io.IOError;
import java.io.IOException;
import java.io.StringReader;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.utils.NonBlocking;
import org.jline.utils.NonBlockingReader;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class KeyboardTest {
    private final List<String> called = new CopyOnWriteArrayList<>();
    private volatile boolean measurable;
    private volatile int columns = 80;
    private int failures;
    private volatile NonBlockingReader keys = of("");
    private volatile @Nullable SignalHandler resized;

    private final Terminal terminal = (Terminal) Proxy.newProxyInstance(
            Terminal.class.getClassLoader(), new Class<?>[] {Terminal.class}, (self, method, arguments) -> {
                called.add(method.getName());
                return switch (method.getName()) {
                    case "getWidth", "getHeight" -> {
                        if (!measurable) {
                            throw new IOError(new IOException("stty tells nothing"));
                        }
                        yield columns;
                    }
                    case "handle" -> {
                        resized = (SignalHandler) arguments[1];
                        yield SignalHandler.SIG_DFL;
                    }
                    case "enterRawMode" -> new Attributes();
                    case "reader" -> keys;
                    case "setAttributes" -> {
                        if (failures > 0) {
                            failures--;
                            throw new IOError(new IOException("stty was killed"));
                        }
                        yield null;
                    }
                    default -> null;
                };
            });

    @Test
    void aTerminalThatCannotBeMeasuredIsLeftAsItWas() {
        assertThatThrownBy(() -> Keyboard.of(terminal)).isInstanceOf(IOError.class);
        assertThat(called).doesNotContain("enterRawMode").endsWith("close");
    }

    @Test
    void aSizeThatCannotBeHadAnyMoreIsTheOneThatWasKnown() throws IOException, InterruptedException {
        measurable = true;
        BlockingQueue<Key> keys = new LinkedBlockingQueue<>();
        try (Keyboard keyboard = Keyboard.of(terminal)) {
            keyboard.readInto(keys, key -> key);
            assertThat(keys.poll(30, TimeUnit.SECONDS)).isEqualTo(Key.of(Kind.GONE));
            measurable = false;
            resize();
            assertThat(keyboard.size()).isEqualTo(new Size(80, 80));
            assertThat(keys).isEmpty();
            measurable = true;
            columns = 100;
            resize();
            assertThat(keyboard.size()).isEqualTo(new Size(100, 100));
            assertThat(keys).containsExactly(Key.of(Kind.RESIZED));
        }
    }

    @Test
    void whoComesBackHasTheKeysAgainAndTheSizeThatTheTerminalGotMeanwhile() throws IOException, InterruptedException {
        measurable = true;
        BlockingQueue<Key> keys = new LinkedBlockingQueue<>();
        try (Keyboard keyboard = Keyboard.of(terminal)) {
            keyboard.readInto(keys, key -> key);
            assertThat(keys.poll(30, TimeUnit.SECONDS)).isEqualTo(Key.of(Kind.GONE));
            called.clear();
            keyboard.leave();
            assertThat(called).containsExactly("setAttributes");
            columns = 100;
            keyboard.comeBack();
            assertThat(called).startsWith("setAttributes", "enterRawMode");
            assertThat(keyboard.size()).isEqualTo(new Size(100, 100));
            assertThat(keys).containsExactly(Key.of(Kind.RESIZED));
        }
    }

    private static NonBlockingReader of(String keys) {
        return NonBlocking.nonBlocking("keys", new StringReader(keys));
    }

    @Test
    void aTerminalThatCannotBeGivenBackIsTriedAgainAndClosedWithoutAWord() throws IOException {
        measurable = true;
        for (int times = 0; times < 5; times++) {
            called.clear();
            failures = times;
            Keyboard.of(terminal).close();
            assertThat(called).endsWith("close").containsOnlyOnce("close");
            assertThat(called.stream().filter("setAttributes"::equals)).hasSize(Math.min(3, times + 1));
        }
    }

    @Test
    void whatReadsTheKeysIsTakenOnceForAClosedTerminalGivesNone() throws IOException, InterruptedException {
        measurable = true;
        keys = of("abc");
        BlockingQueue<Key> pressed = new LinkedBlockingQueue<>();
        try (Keyboard keyboard = Keyboard.of(terminal)) {
            keyboard.readInto(pressed, key -> key);
            for (Key key : List.of(Key.of('a'), Key.of('b'), Key.of('c'), Key.of(Kind.GONE))) {
                assertThat(pressed.poll(30, TimeUnit.SECONDS)).isEqualTo(key);
            }
        }
        assertThat(called).containsOnlyOnce("reader");
    }

    @Test
    void aReaderThatIsClosedIsTheEndOfTheKeys() throws IOException, InterruptedException {
        measurable = true;
        keys = new NonBlockingReader() {
            @Override
            public int readBuffered(char[] buffer, int offset, int length, long timeout) {
                throw new IllegalStateException("closed");
            }

            @Override
            protected int read(long timeout, boolean isPeek) {
                throw new IllegalStateException("closed");
            }
        };
        BlockingQueue<Key> pressed = new LinkedBlockingQueue<>();
        try (Keyboard keyboard = Keyboard.of(terminal)) {
            keyboard.readInto(pressed, key -> key);
            assertThat(pressed.poll(30, TimeUnit.SECONDS)).isEqualTo(Key.of(Kind.GONE));
        }
    }

    private void resize() {
        SignalHandler handler = resized;
        assertThat(handler).isNotNull();
        if (handler != null) {
            handler.handle(Signal.WINCH);
        }
    }
}
