package com.fastn.status.cli;

import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A node that the configuration names.
 *
 * @param alias what the user calls it
 * @param url where its status port listens
 * @param tokenFile the file with its secret, or {@code null}
 * @param ca the certificates that it is trusted by, or {@code null}
 * @param config the file that says so
 */
record RemoteNode(
        String alias,
        URI url,
        @Nullable Path tokenFile,
        @Nullable Path ca,
        Path config) implements Endpoint {

    @Override
    public @Nullable String token() {
        return tokenFile == null ? null : TokenFile.read(tokenFile);
    }

    @Override
    public String described() {
        return Printable.line(alias) + " (" + Printable.line(url.toString()) + ")";
    }

    @Override
    public boolean isNamedByCertificate() {
        return true;
    }

    @Override
    public String ifUntrusted() {
        return "give the node a ca in the configuration that signed its certificate, which has to name the host";
    }

    @Override
    public String expectation() {
        return "";
    }

    @Override
    public String ifSilent() {
        return "see whether the node is stopped or starved, or wait longer with --timeout";
    }

    @Override
    public String ifAbsent() {
        return "see whether the node runs, and whether " + place("url") + " is right";
    }

    @Override
    public String ifStrange() {
        return "see what listens at " + Printable.line(url.toString()) + ", which " + place("url") + " names";
    }

    @Override
    public String ifRefused() {
        return "put the node's token into the file that " + place("token_file") + " names";
    }

    private String place(String key) {
        return "nodes." + Printable.line(alias) + "." + key + " in " + Printable.line(config.toString());
    }
}
