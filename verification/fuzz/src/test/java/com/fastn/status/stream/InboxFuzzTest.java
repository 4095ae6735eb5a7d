package com.fastn.status.stream;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.StatusRenderer;
import com.fastn.status.stream.Inbox.Outcome;
import com.fastn.status.stream.StreamFrame.Content;
import java.nio.charset.StandardCharsets;

/**
 * The frames of a stream, from whoever reaches the bus (rules D1, S13, S15). Each line of the input is one frame: its epoch as a digit, how far its
 * number is from the next one as a digit (5 is none), its content as N, S, F or D, whether it is the last as + or -, and then its body.
 */
class InboxFuzzTest {
    @FuzzTest
    void aFrameIsTakenOrTheStreamBeginsAnew(byte[] bytes) {
        Inbox inbox = new Inbox();
        for (String line : new String(bytes, StandardCharsets.UTF_8).split("\n", 50)) {
            if (line.length() >= 4) {
                take(inbox, line);
            }
        }
        // Whatever came: a stream that begins anew is believed again.
        long epoch = inbox.epoch() + 1;
        String empty =
                "{\"kind\":\"cluster_status\",\"schema\":1,\"min_schema\":1,\"timestamp\":\"2026-01-01T00:00:00Z\",\"answered_by\":\"a\",\"nodes\":[]}";
        Outcome outcome =
                inbox.take(new StreamFrame(epoch, 1, Content.NODES, true, empty.getBytes(StandardCharsets.UTF_8)));
        assertThat(outcome).isEqualTo(Outcome.COMPLETE);
        assertThat(inbox.isBroken()).isFalse();
        assertThat(requireNonNull(inbox.view()).nodes()).isEmpty();
    }

    private static void take(Inbox inbox, String line) {
        Content content = switch (line.charAt(2)) {
            case 'N' -> Content.NODES;
            case 'S' -> Content.SOME_NODES;
            case 'F' -> Content.FULL;
            default -> Content.DELTA;
        };
        long epoch = (long) line.charAt(0) - (long) '0';
        ClusterStatus before = inbox.view();
        long sequence = inbox.sequence();
        long epochBefore = inbox.epoch();
        boolean begins = epoch > epochBefore && line.charAt(1) == '1';
        long number = begins ? 1 : sequence + 1 + line.charAt(1) - '5';
        Outcome outcome = inbox.take(new StreamFrame(
                epoch, number, content, line.charAt(3) == '+', line.substring(4).getBytes(StandardCharsets.UTF_8)));
        switch (outcome) {
            case COMPLETE -> {
                ClusterStatus view = inbox.view();
                if (view == null) {
                    // The nodes themselves want a newer reader, so there is nobody to tell of (rule D9).
                    assertThat(inbox.isOutdated()).isTrue();
                } else {
                    assertThat(StatusRenderer.plain().render(view)).isNotEmpty();
                }
                assertThat(inbox.sequence()).isEqualTo(number);
            }
            case TAKEN -> {
                assertThat(inbox.view()).isSameAs(before);
                assertThat(inbox.sequence()).isEqualTo(number);
            }
            case OLD -> {
                assertThat(inbox.view()).isSameAs(before);
                assertThat(inbox.sequence()).isEqualTo(sequence);
            }
            case GAP -> {
                assertThat(inbox.view()).isSameAs(before);
                assertThat(inbox.isBroken()).isTrue();
                assertThat(inbox.reason()).isNotBlank();
            }
        }
    }
}
