package com.fastn.status.cli;

import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A status port, what it takes to be let in, and what to do when it does not answer. */
interface Endpoint {
    /** {@return what its operator, or this command's user, calls the node} */
    String alias();

    /** {@return where it listens} */
    URI url();

    /**
     * Reads the secret that it asks for.
     *
     * @return the token, or {@code null} when none is known
     * @throws Trouble if there should be one and it cannot be used
     */
    @Nullable
    String token();

    /** {@return the certificates that it is trusted by, in PEM form, or {@code null} for those of the JDK} */
    @Nullable
    Path ca();

    /** {@return whether its certificate has to name the host of {@link #url}; if not, it has to be the first of {@link #ca}} */
    boolean isNamedByCertificate();

    /** {@return what to do when its certificate is not trusted} */
    String ifUntrusted();

    /** {@return the node for people: alias and address on one line} */
    String described();

    /** {@return why it is strange that it does not answer, as the beginning of a sentence; may be empty} */
    String expectation();

    /** {@return what to do when it takes the question and says nothing} */
    String ifSilent();

    /** {@return what to do when nothing listens there} */
    String ifAbsent();

    /** {@return what to do when something answers that is no node} */
    String ifStrange();

    /** {@return what to do when it wants another token} */
    String ifRefused();
}
