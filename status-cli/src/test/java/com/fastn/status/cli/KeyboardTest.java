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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class KeyboardTest {
    private final List<String> called = new CopyOnWriteArrayList<>();
    private volatile boolean measurable;
    private volatile int columns = 80;
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
                    case "reader" -> NonBlocking.nonBlocking("keys", new StringReader(""));
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

    private void resize() {
        SignalHandler handler = resized;
        assertThat(handler).isNotNull();
        if (handler != null) {
            handler.handle(Signal.WINCH);
        }
    }
}
