module app {
    requires com.fastn.context;
}
