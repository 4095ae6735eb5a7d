package com.fastn.verification.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import com.fasterxml.jackson.databind.JsonNode;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.MetricValue;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;

/** Whoever reads data, a metric or a child of another thread sees it whole, or not yet. */
public class PublicationRaces {
    private static final Map<String, Object> VALUE = Map.of("list", List.of(1, 2, 3));
    private static final String WHOLE = "{\"list\":[1,2,3]}";

    /** {@return the value as text, or words that say what is wrong with it} */
    private static String text(Object value) {
        if (value instanceof JsonNode json) {
            return json.toString().equals(WHOLE) ? "whole" : "torn";
        }
        return value.toString().equals(VALUE.toString()) ? "whole" : "torn";
    }

    private static String read(FastnContext context) {
        JsonNode value = context.getData("key");
        return value == null ? "none" : text(value);
    }

    private static String inStatus(ContextStatus status) {
        Object value = status.data().get("key");
        return value == null ? "none" : text(value);
    }

    private static ContextStatus status(FastnContext context) {
        return context.subtreeStatus().globalContext();
    }

    /** Data is set, the first ever in its context, while another reads it twice. */
    @JCStressTest
    @Outcome(id = "none, none", expect = ACCEPTABLE, desc = "Not yet.")
    @Outcome(id = "none, whole", expect = ACCEPTABLE, desc = "In between.")
    @Outcome(id = "whole, whole", expect = ACCEPTABLE, desc = "Already.")
    @Outcome(expect = FORBIDDEN, desc = "Half a value, or one that vanished.")
    @State
    public static class SetDataMeetsGetData {
        private final FastnContext top = Tree.plant();

        @Actor
        public void set() {
            top.setData("key", VALUE);
        }

        @Actor
        public void get(LL_Result r) {
            r.r1 = read(top);
            r.r2 = read(top);
        }

        @Arbiter
        public void tidy() {
            Tree.fell(top);
        }
    }

    /** A value is changed twice while another reads it twice. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 1", "0, 2", "1, 1", "1, 2", "2, 2"},
            expect = ACCEPTABLE,
            desc = "Never back.")
    @Outcome(expect = FORBIDDEN, desc = "An older value after a newer one, or none.")
    @State
    public static class SetDataTwiceMeetsGetData {
        private final FastnContext top = Tree.plant();

        public SetDataTwiceMeetsGetData() {
            top.setData("key", 0);
        }

        @Actor
        public void set() {
            top.setData("key", 1);
            top.setData("key", 2);
        }

        @Actor
        public void get(LL_Result r) {
            r.r1 = String.valueOf(top.getData("key"));
            r.r2 = String.valueOf(top.getData("key"));
        }

        @Arbiter
        public void tidy() {
            Tree.fell(top);
        }
    }

    /** Two set the first data and the first metric of a context. */
    @JCStressTest
    @Outcome(id = "whole, Counter\\[value=7\\]", expect = ACCEPTABLE, desc = "Both are there.")
    @Outcome(expect = FORBIDDEN, desc = "One was lost.")
    @State
    public static class SetDataMeetsAddMetric {
        private final FastnContext top = Tree.plant();

        @Actor
        public void set() {
            top.setData("key", VALUE);
        }

        @Actor
        public void add() {
            top.addMetric("metric", MetricValue.counter(7));
        }

        @Arbiter
        public void judge(LL_Result r) {
            ContextStatus status = status(top);
            r.r1 = inStatus(status);
            r.r2 = String.valueOf(status.metrics().get("metric"));
            Tree.fell(top);
        }
    }

    /** Data and a metric are set, in this order, while a snapshot is taken. */
    @JCStressTest
    @Outcome(id = "none, null", expect = ACCEPTABLE, desc = "Not yet.")
    @Outcome(id = "whole, null", expect = ACCEPTABLE, desc = "In between.")
    @Outcome(id = "whole, Duration\\[value=PT7S\\]", expect = ACCEPTABLE, desc = "Already.")
    @Outcome(expect = FORBIDDEN, desc = "Half a value, or the second without the first.")
    @State
    public static class SetBothMeetsSnapshot {
        private final FastnContext top = Tree.plant();

        @Actor
        public void set() {
            top.setData("key", VALUE);
            top.addMetric("metric", Duration.ofSeconds(7));
        }

        @Actor
        public void look(LL_Result r) {
            ContextStatus status = status(top);
            r.r1 = inStatus(status);
            r.r2 = String.valueOf(status.metrics().get("metric"));
        }

        @Arbiter
        public void tidy() {
            Tree.fell(top);
        }
    }

    /** A child is opened with all that a builder can say, while another looks for children. */
    @JCStressTest
    @Outcome(id = "none, none, none", expect = ACCEPTABLE, desc = "Not yet.")
    @Outcome(id = "whole, Child SESSION, Text\\[value=seven\\]", expect = ACCEPTABLE, desc = "Whole from the start.")
    @Outcome(expect = FORBIDDEN, desc = "A child that was seen before it was finished.")
    @State
    public static class OpenMeetsChildren {
        private final FastnContext top = Tree.plant();

        @Actor
        public void open() {
            top.child("child")
                    .withLabel("Child")
                    .withKind(ContextKind.SESSION)
                    .withData("key", VALUE)
                    .withMetric("metric", "seven")
                    .open();
        }

        @Actor
        public void look(LLL_Result r) {
            List<FastnContext> children = top.children();
            if (children.isEmpty()) {
                r.r1 = "none";
                r.r2 = "none";
                r.r3 = "none";
            } else {
                FastnContext child = children.get(0);
                r.r1 = read(child);
                r.r2 = child.label() + " " + child.kind();
                r.r3 = String.valueOf(status(child).metrics().get("metric"));
            }
        }

        @Arbiter
        public void tidy() {
            Tree.fell(top);
        }
    }

    /** A child is opened with data while a snapshot is taken. */
    @JCStressTest
    @Outcome(id = "none", expect = ACCEPTABLE, desc = "Not yet.")
    @Outcome(id = "whole global\\.top\\.child", expect = ACCEPTABLE, desc = "Whole from the start.")
    @Outcome(expect = FORBIDDEN, desc = "A child that was seen before it was finished.")
    @State
    public static class OpenMeetsSnapshot {
        private final FastnContext top = Tree.plant();

        @Actor
        public void open() {
            top.child("child").withData("key", VALUE).open();
        }

        @Actor
        public void look(L_Result r) {
            List<ContextStatus> children = status(top).children();
            r.r1 = children.isEmpty()
                    ? "none"
                    : inStatus(children.get(0)) + " " + children.get(0).path();
        }

        @Arbiter
        public void tidy() {
            Tree.fell(top);
        }
    }
}
