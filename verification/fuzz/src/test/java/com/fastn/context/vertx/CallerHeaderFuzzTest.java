package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.vertx.CallerHeader.Caller;
import java.nio.charset.StandardCharsets;

/** The header that tells who sent a message, which any sender may have made up (rule S15). */
class CallerHeaderFuzzTest {
    private static final NodeIdentity HERE = new NodeIdentity("alice", "19a-7f");

    @FuzzTest
    void aHeaderIsReadOrPassedOverAndWhatIsReadIsBounded(byte[] bytes) {
        Caller caller = CallerHeader.read(new String(bytes, StandardCharsets.UTF_8), HERE, true);
        if (caller == null) {
            return;
        }
        CallerLink link = caller.link();
        assertThat(link.contextId()).isNotNegative();
        assertThat(link.toString()).hasSizeLessThan(2_000);
        assertThat(link.toString().chars()).noneMatch(Character::isISOControl);
    }
}
