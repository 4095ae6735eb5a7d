/** The {@code fastn} command: what the nodes of this machine and their clusters are doing. */
module com.fastn.status.cli {
    requires com.fastn.context;
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.dataformat.toml;
    requires info.picocli;
    requires org.jline.terminal;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;
}
