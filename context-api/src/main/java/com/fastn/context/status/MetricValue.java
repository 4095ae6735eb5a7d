package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

/** A value that a context shows in its row, such as {@code 15.2MB processed}; the last value of a key wins. */
public sealed interface MetricValue {

    /**
     * A count, shown with thousands separators.
     *
     * @param value the count
     */
    record Counter(long value) implements MetricValue {}

    /**
     * A sampled number.
     *
     * @param value the sample
     */
    record Gauge(double value) implements MetricValue {}

    /**
     * A length of time.
     *
     * @param value the length
     */
    record Duration(java.time.Duration value) implements MetricValue {
        /** Checks that the value is there. */
        public Duration {
            requireNonNull(value, "value");
        }
    }

    /**
     * Free text.
     *
     * @param value the text
     */
    record Text(String value) implements MetricValue {
        /** Checks that the value is there. */
        public Text {
            requireNonNull(value, "value");
        }
    }

    /**
     * A number of bytes, shown in decimal units.
     *
     * @param value the number of bytes
     */
    record Bytes(long value) implements MetricValue {}

    /**
     * Makes a count.
     *
     * @param value the count
     * @return the metric value
     */
    static MetricValue counter(long value) {
        return new Counter(value);
    }

    /**
     * Makes a sampled number.
     *
     * @param value the sample
     * @return the metric value
     */
    static MetricValue gauge(double value) {
        return new Gauge(value);
    }

    /**
     * Makes a length of time.
     *
     * @param value the length
     * @return the metric value
     */
    static MetricValue duration(java.time.Duration value) {
        return new Duration(value);
    }

    /**
     * Makes a free text.
     *
     * @param value the text
     * @return the metric value
     */
    static MetricValue text(String value) {
        return new Text(value);
    }

    /**
     * Makes a number of bytes.
     *
     * @param value the number of bytes
     * @return the metric value
     */
    static MetricValue bytes(long value) {
        return new Bytes(value);
    }
}
