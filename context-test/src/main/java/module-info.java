/** A fresh runtime for each test, and a failure for the test that leaves contexts open or locks held. */
module com.fastn.context.test {
    // API
    exports com.fastn.context.test;

    requires transitive com.fastn.context;
    requires transitive org.junit.jupiter.api;
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;
}
