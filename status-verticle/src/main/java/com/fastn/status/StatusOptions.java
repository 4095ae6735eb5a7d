package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.status.http.HttpSettings;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link StatusVerticle} behaves. Every option has a default that is safe; a bad value fails the deployment.
 *
 * <table>
 * <caption>The JSON form</caption>
 * <tr><th>key</th><th>type, unit</th><th>default</th><th>meaning</th></tr>
 * <tr><td>{@code alias}</td><td>text</td><td>{@code FASTN_ALIAS}, else host and process id</td>
 *     <td>what operators call this node</td></tr>
 * <tr><td>{@code http}</td><td>true or false</td><td>true</td><td>whether the status port is opened</td></tr>
 * <tr><td>{@code httpHost}</td><td>address</td><td>127.0.0.1</td>
 *     <td>where the port listens; one that others can reach wants a token and TLS</td></tr>
 * <tr><td>{@code httpPort}</td><td>0 to 65535</td><td>0</td><td>0 takes any free port</td></tr>
 * <tr><td>{@code allowedHosts}</td><td>list of host:port</td><td>none</td>
 *     <td>further values of the Host header that are answered, for a proxy in front; wants a token</td></tr>
 * <tr><td>{@code httpTokenFile}</td><td>file</td><td>none</td>
 *     <td>what everybody has to send; made, with a random token, if it is not there</td></tr>
 * <tr><td>{@code httpTlsCert}</td><td>PEM file</td><td>none</td><td>the certificate, with its chain</td></tr>
 * <tr><td>{@code httpTlsKey}</td><td>PEM file</td><td>none</td><td>the certificate's private key</td></tr>
 * <tr><td>{@code allowCleartext}</td><td>true or false</td><td>false</td>
 *     <td>whether others may ask without TLS, which every status warns of</td></tr>
 * <tr><td>{@code queryTimeout}</td><td>milliseconds</td><td>1000</td><td>how long one node has to answer another</td></tr>
 * <tr><td>{@code helloInterval}</td><td>milliseconds</td><td>15000</td><td>how often this node tells that it lives</td></tr>
 * <tr><td>{@code forgetAfter}</td><td>milliseconds</td><td>3600000</td>
 *     <td>how long a node that is down stays listed</td></tr>
 * <tr><td>{@code deadlockSearchAfter}</td><td>milliseconds</td><td>5000</td>
 *     <td>how old a wait for another node is from when on deadlocks of the cluster are looked for; 0 for never</td></tr>
 * <tr><td>{@code publish}</td><td>{@code "local"} or {@code "cluster"}</td><td>{@code "local"}</td>
 *     <td>whether consumers of {@code fastn.status} hear of their own node, or of the cluster</td></tr>
 * <tr><td>{@code descriptors}</td><td>true or false</td><td>true</td>
 *     <td>whether this node can be found by {@code fastn status} on its machine</td></tr>
 * <tr><td>{@code systemMetrics}</td><td>true or false</td><td>true</td><td>whether the machine is read</td></tr>
 * <tr><td>{@code trustCluster}</td><td>true or false</td><td>false</td>
 *     <td>whether every node of the cluster is told data values</td></tr>
 * <tr><td>{@code allowRemoteCancel}</td><td>true or false</td><td>false</td>
 *     <td>whether other nodes may cancel contexts of this one</td></tr>
 * </table>
 */
public final class StatusOptions {
    /** The default of {@link #getHttpHost}. */
    public static final String DEFAULT_HTTP_HOST = "127.0.0.1";
    /** The default of {@link #getQueryTimeout}, in milliseconds. */
    public static final long DEFAULT_QUERY_TIMEOUT = 1_000;
    /** The default of {@link #getHelloInterval}, in milliseconds. */
    public static final long DEFAULT_HELLO_INTERVAL = 15_000;
    /** The default of {@link #getForgetAfter}, in milliseconds. */
    public static final long DEFAULT_FORGET_AFTER = 3_600_000;

    /** The default of {@link #getDeadlockSearchAfter}, in milliseconds. */
    public static final long DEFAULT_DEADLOCK_SEARCH_AFTER = 5_000;

    private static final long SHORTEST_TIME = 10;
    private static final long LONGEST_TIME = Duration.ofDays(30).toMillis();
    private static final int LONGEST_ALIAS = 256;
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._-]+(:\\d{1,5})?|\\[[0-9A-Fa-f:.]+](:\\d{1,5})?");

    private @Nullable String alias;
    private boolean http = true;
    private String httpHost = DEFAULT_HTTP_HOST;
    private int httpPort;
    private List<String> allowedHosts = List.of();
    private @Nullable String httpTokenFile;
    private @Nullable String httpTlsCert;
    private @Nullable String httpTlsKey;
    private boolean allowCleartext;
    private long queryTimeout = DEFAULT_QUERY_TIMEOUT;
    private long helloInterval = DEFAULT_HELLO_INTERVAL;
    private long forgetAfter = DEFAULT_FORGET_AFTER;
    private long deadlockSearchAfter = DEFAULT_DEADLOCK_SEARCH_AFTER;
    private StatusPublication publish = StatusPublication.LOCAL;
    private boolean descriptors = true;
    private boolean systemMetrics = true;
    private boolean trustCluster;
    private boolean allowRemoteCancel;

    /** Makes options that are all at their defaults. */
    public StatusOptions() {}

    /**
     * Makes a copy.
     *
     * @param other what to copy
     */
    public StatusOptions(StatusOptions other) {
        this.alias = other.alias;
        this.http = other.http;
        this.httpHost = other.httpHost;
        this.httpPort = other.httpPort;
        this.allowedHosts = other.allowedHosts;
        this.httpTokenFile = other.httpTokenFile;
        this.httpTlsCert = other.httpTlsCert;
        this.httpTlsKey = other.httpTlsKey;
        this.allowCleartext = other.allowCleartext;
        this.queryTimeout = other.queryTimeout;
        this.helloInterval = other.helloInterval;
        this.forgetAfter = other.forgetAfter;
        this.deadlockSearchAfter = other.deadlockSearchAfter;
        this.publish = other.publish;
        this.descriptors = other.descriptors;
        this.systemMetrics = other.systemMetrics;
        this.trustCluster = other.trustCluster;
        this.allowRemoteCancel = other.allowRemoteCancel;
    }

    /**
     * Reads the JSON form. What is not there stays at its default.
     *
     * @param json the keys and values
     * @throws IllegalArgumentException if a key is not known or a value has the wrong type; the message names the key and
     *     the nearest known ones
     */
    public StatusOptions(JsonObject json) {
        OptionReader reader = new OptionReader(json);
        this.alias = reader.text("alias", null);
        this.http = reader.flag("http", http);
        this.httpHost = requireNonNull(reader.text("httpHost", httpHost));
        this.httpPort = (int) Math.max(-1, Math.min(Integer.MAX_VALUE, reader.number("httpPort", httpPort)));
        this.allowedHosts = reader.texts("allowedHosts");
        this.httpTokenFile = reader.text("httpTokenFile", null);
        this.httpTlsCert = reader.text("httpTlsCert", null);
        this.httpTlsKey = reader.text("httpTlsKey", null);
        this.allowCleartext = reader.flag("allowCleartext", allowCleartext);
        this.queryTimeout = reader.number("queryTimeout", queryTimeout);
        this.helloInterval = reader.number("helloInterval", helloInterval);
        this.forgetAfter = reader.number("forgetAfter", forgetAfter);
        this.deadlockSearchAfter = reader.number("deadlockSearchAfter", deadlockSearchAfter);
        this.publish = reader.publication("publish", publish);
        this.descriptors = reader.flag("descriptors", descriptors);
        this.systemMetrics = reader.flag("systemMetrics", systemMetrics);
        this.trustCluster = reader.flag("trustCluster", trustCluster);
        this.allowRemoteCancel = reader.flag("allowRemoteCancel", allowRemoteCancel);
        reader.refuseOthers();
    }

    /** {@return the JSON form} */
    public JsonObject toJson() {
        JsonObject json = new JsonObject()
                .put("http", http)
                .put("httpHost", httpHost)
                .put("httpPort", httpPort)
                .put("allowedHosts", new JsonArray(new ArrayList<>(allowedHosts)))
                .put("allowCleartext", allowCleartext)
                .put("queryTimeout", queryTimeout)
                .put("helloInterval", helloInterval)
                .put("forgetAfter", forgetAfter)
                .put("deadlockSearchAfter", deadlockSearchAfter)
                .put("publish", publish.text())
                .put("descriptors", descriptors)
                .put("systemMetrics", systemMetrics)
                .put("trustCluster", trustCluster)
                .put("allowRemoteCancel", allowRemoteCancel);
        putIfSaid(json, "alias", alias);
        putIfSaid(json, "httpTokenFile", httpTokenFile);
        putIfSaid(json, "httpTlsCert", httpTlsCert);
        putIfSaid(json, "httpTlsKey", httpTlsKey);
        return json;
    }

    private static void putIfSaid(JsonObject json, String key, @Nullable String value) {
        if (value != null) {
            json.put(key, value);
        }
    }

    /** {@return what operators call this node, or {@code null} for {@code FASTN_ALIAS}, else host and process id} */
    public @Nullable String getAlias() {
        return alias;
    }

    /**
     * Says what operators call this node.
     *
     * @param name at most 256 characters, or {@code null} for the default
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setAlias(@Nullable String name) {
        this.alias = name;
        return this;
    }

    /** {@return whether the status port is opened; {@code true} unless said} */
    public boolean isHttp() {
        return http;
    }

    /**
     * Says whether the status port is opened.
     *
     * @param open {@code false} for no HTTP at all
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setHttp(boolean open) {
        this.http = open;
        return this;
    }

    /** {@return the address that the status port listens on; {@value #DEFAULT_HTTP_HOST} unless said} */
    public String getHttpHost() {
        return httpHost;
    }

    /**
     * Says which address the status port listens on. One that others can reach wants {@link #setHttpTokenFile a token}, and
     * {@link #setHttpTls TLS} or {@link #setAllowCleartext}.
     *
     * @param host an address of this machine, such as {@code 0.0.0.0} for all of them
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setHttpHost(String host) {
        this.httpHost = requireNonNull(host, "host");
        return this;
    }

    /** {@return the number of the status port; 0, which takes any free one, unless said} */
    public int getHttpPort() {
        return httpPort;
    }

    /**
     * Says the number of the status port.
     *
     * @param port 0 to 65535; 0 takes any free port
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setHttpPort(int port) {
        this.httpPort = port;
        return this;
    }

    /** {@return further values of the Host header that are answered; none unless said} */
    public List<String> getAllowedHosts() {
        return allowedHosts;
    }

    /**
     * Says which further values of the Host header are answered, for a proxy in front of the status port.
     *
     * @param hosts each as it stands in the header, such as {@code status.example:8080}
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setAllowedHosts(List<String> hosts) {
        this.allowedHosts = List.copyOf(hosts);
        return this;
    }

    /** {@return the file of the token that everybody has to send, or {@code null} when nobody has to, which is so unless said} */
    public @Nullable String getHttpTokenFile() {
        return httpTokenFile;
    }

    /**
     * Says which token everybody has to send, as {@code Authorization: Bearer <token>}.
     *
     * @param file where it stands, alone, readable by its owner only; made with a random token of 256 bits if it is not there.
     *     {@code null} for no token, which is possible on a loopback address without proxies
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setHttpTokenFile(@Nullable String file) {
        this.httpTokenFile = file;
        return this;
    }

    /** {@return the file of the certificate, or {@code null} for no TLS, which is so unless said} */
    public @Nullable String getHttpTlsCert() {
        return httpTlsCert;
    }

    /** {@return the file of the certificate's private key, or {@code null} for no TLS, which is so unless said} */
    public @Nullable String getHttpTlsKey() {
        return httpTlsKey;
    }

    /**
     * Says how the status port shows who it is.
     *
     * @param certificate a PEM file with the certificate and its chain, or {@code null} for no TLS
     * @param key a PEM file with the private key, or {@code null} for no TLS
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setHttpTls(@Nullable String certificate, @Nullable String key) {
        this.httpTlsCert = certificate;
        this.httpTlsKey = key;
        return this;
    }

    /** {@return whether others may ask without TLS; {@code false} unless said} */
    public boolean isAllowCleartext() {
        return allowCleartext;
    }

    /**
     * Says whether others may ask without TLS. The token and all names then go over the network as they are; every status
     * warns of it.
     *
     * @param allow whether that is accepted
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setAllowCleartext(boolean allow) {
        this.allowCleartext = allow;
        return this;
    }

    /** {@return whether the status port is reached from other machines without TLS} */
    boolean isCleartextForOthers() {
        return http && !HttpSettings.isLoopback(httpHost) && httpTlsCert == null;
    }

    /** {@return how long one node has to answer another, in milliseconds; {@value #DEFAULT_QUERY_TIMEOUT} unless said} */
    public long getQueryTimeout() {
        return queryTimeout;
    }

    /**
     * Says how long one node has to answer another.
     *
     * @param millis in milliseconds
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setQueryTimeout(long millis) {
        this.queryTimeout = millis;
        return this;
    }

    /** {@return how often this node tells the others that it lives, in milliseconds; {@value #DEFAULT_HELLO_INTERVAL}} */
    public long getHelloInterval() {
        return helloInterval;
    }

    /**
     * Says how often this node tells the others that it lives, and looks whether they can find it.
     *
     * @param millis in milliseconds; 0 for never after the start, so that a node that falls silent is noticed only when asked.
     *     While somebody watches the cluster from this node it is no longer than 5 s, unless it is 0
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setHelloInterval(long millis) {
        this.helloInterval = millis;
        return this;
    }

    /** {@return how long a node that is down stays listed, in milliseconds; {@value #DEFAULT_FORGET_AFTER} unless said} */
    public long getForgetAfter() {
        return forgetAfter;
    }

    /**
     * Says how long a node that is down stays listed.
     *
     * @param millis in milliseconds, at least twice {@link #getHelloInterval}. Where that is 0 it counts from when the node was
     *     asked and did not answer
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setForgetAfter(long millis) {
        this.forgetAfter = millis;
        return this;
    }

    /**
     * {@return how old a wait for another node is from when on deadlocks of the cluster are looked for, in milliseconds;
     * {@value #DEFAULT_DEADLOCK_SEARCH_AFTER} unless said}
     */
    public long getDeadlockSearchAfter() {
        return deadlockSearchAfter;
    }

    /**
     * Says how old a wait for a reply, or for a lock of the cluster, is from when on deadlocks that lead over several nodes are
     * looked for. Before that nothing is asked of any node.
     *
     * @param millis in milliseconds; 0 for never
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setDeadlockSearchAfter(long millis) {
        this.deadlockSearchAfter = millis;
        return this;
    }

    /** {@return whose status consumers of {@code fastn.status} hear; {@link StatusPublication#LOCAL} unless said} */
    public StatusPublication getPublish() {
        return publish;
    }

    /**
     * Says whose status consumers of {@code fastn.status} hear. What is published to the cluster can be read by everybody in it,
     * and is sent to a node only while somebody consumes there.
     *
     * @param publication that of their node alone, or that of the cluster
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setPublish(StatusPublication publication) {
        this.publish = requireNonNull(publication, "publication");
        return this;
    }

    /** {@return whether {@code fastn status} finds this node by itself on its machine; {@code true} unless said} */
    public boolean isDescriptors() {
        return descriptors;
    }

    /**
     * Says whether {@code fastn status} finds this node by itself on its machine.
     *
     * @param write whether a descriptor file is written
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setDescriptors(boolean write) {
        this.descriptors = write;
        return this;
    }

    /** {@return whether processor, memory, disk and network of the machine are read; {@code true} unless said} */
    public boolean isSystemMetrics() {
        return systemMetrics;
    }

    /**
     * Says whether processor, memory, disk and network of the machine are read when somebody asks for status.
     *
     * @param read {@code false} leaves the machine alone
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setSystemMetrics(boolean read) {
        this.systemMetrics = read;
        return this;
    }

    /** {@return whether every node of the cluster is told data values; {@code false} unless said} */
    public boolean isTrustCluster() {
        return trustCluster;
    }

    /**
     * Says whether every node of the cluster is told data values. Without, they are told on this machine only, unless the event
     * bus listens on loopback; other nodes get names, times, counters and locks, and every status says so.
     *
     * @param trust {@code true} where only nodes that prove who they are reach the event bus: mutual TLS, or a network of its
     *     own
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setTrustCluster(boolean trust) {
        this.trustCluster = trust;
        return this;
    }

    /** {@return whether other nodes may cancel contexts of this one; {@code false} unless said} */
    public boolean isAllowRemoteCancel() {
        return allowRemoteCancel;
    }

    /**
     * Says whether other nodes may cancel contexts of this one, with all below them, by {@link StatusClient#cancel}. Where
     * anybody may have joined the cluster it stays refused, see {@link #setTrustCluster}. What {@code setCancelCallees} of the
     * library's Vert.x options does is something else, and does not depend on this.
     *
     * @param allow {@code true} where everybody who reaches the event bus may do that
     * @return these options
     */
    @CanIgnoreReturnValue
    public StatusOptions setAllowRemoteCancel(boolean allow) {
        this.allowRemoteCancel = allow;
        return this;
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one of them is bad; the message names them all
     */
    void check() {
        List<String> problems = new ArrayList<>();
        if (alias != null && (alias.isBlank() || alias.length() > LONGEST_ALIAS)) {
            problems.add("alias is " + (alias.isBlank() ? "empty" : alias.length() + " characters long")
                    + ", and nobody could ask for this node by it; give it a name of 1 to " + LONGEST_ALIAS
                    + " characters, or leave it out");
        }
        if (httpPort < 0 || httpPort > 65_535) {
            problems.add("httpPort is " + httpPort
                    + ", and ports go from 0 to 65535; use 0 for any free port, or \"http\": false for none");
        }
        if (http) {
            checkHttp(problems);
        }
        checkTime(problems, "queryTimeout", queryTimeout);
        if (helloInterval != 0) {
            checkTime(problems, "helloInterval", helloInterval);
        }
        if (helloInterval == 0 && publish == StatusPublication.CLUSTER) {
            problems.add(
                    "publish is \"cluster\" and helloInterval is 0, and by their hellos the nodes know which of them"
                            + " publishes; give helloInterval a time, or publish \"local\"");
        }
        checkTime(problems, "forgetAfter", forgetAfter);
        if (helloInterval <= LONGEST_TIME && forgetAfter < 2 * helloInterval) {
            problems.add("forgetAfter is " + forgetAfter + " and helloInterval is " + helloInterval
                    + ", so nodes that live would be forgotten between two of their hellos; make forgetAfter at least "
                    + 2 * helloInterval);
        }
        if (deadlockSearchAfter != 0) {
            checkTime(problems, "deadlockSearchAfter", deadlockSearchAfter);
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException("the status verticle cannot start: " + String.join("; and ", problems));
        }
    }

    private void checkHttp(List<String> problems) {
        if (httpHost.isBlank()) {
            problems.add("httpHost is empty; use 127.0.0.1, or an address that others can reach");
        }
        boolean others = !HttpSettings.isLoopback(httpHost);
        if (others && httpTokenFile == null) {
            problems.add("httpHost is \"" + Printable.line(httpHost)
                    + "\", which is not a loopback address, and without a token everybody who reaches it could read names"
                    + " and data of this application; set httpTokenFile, which makes a token, or use"
                    + " 127.0.0.1, and reach it through an SSH tunnel or the event bus of another node");
        }
        if (others && httpTlsCert == null && httpTlsKey == null && !allowCleartext) {
            problems.add("httpHost is \"" + Printable.line(httpHost)
                    + "\", which is not a loopback address, and without TLS the token could be read on the way;"
                    + " set httpTlsCert and httpTlsKey, or allowCleartext where something else protects the way");
        }
        if ((httpTlsCert == null) != (httpTlsKey == null)) {
            problems.add((httpTlsCert == null ? "httpTlsKey" : "httpTlsCert")
                    + " is set alone; TLS wants httpTlsCert and" + " httpTlsKey, two PEM files");
        }
        if (!allowedHosts.isEmpty() && httpTokenFile == null) {
            problems.add("allowedHosts is for a proxy in front, which makes everybody look like this machine, and there"
                    + " is no token to tell them apart; set httpTokenFile");
        }
        for (String host : allowedHosts) {
            if (!HOST.matcher(host).matches()) {
                problems.add("allowedHosts has \"" + Printable.line(host)
                        + "\", which is no value of the Host header; write it as \"status.example:8080\", without a scheme"
                        + " and a path");
            }
        }
    }

    private static void checkTime(List<String> problems, String key, long millis) {
        if (millis < SHORTEST_TIME || millis > LONGEST_TIME) {
            problems.add(key + " is " + millis + ", and it is a number of milliseconds from " + SHORTEST_TIME + " to "
                    + LONGEST_TIME);
        }
    }

    /** Takes known keys out of a JSON object, and then says what is left over. */
    private static final class OptionReader {
        private final JsonObject json;
        private final TreeSet<String> known = new TreeSet<>();

        OptionReader(JsonObject json) {
            this.json = requireNonNull(json, "json");
        }

        @Nullable
        String text(String key, @Nullable String otherwise) {
            Object value = take(key);
            if (value == null) {
                return otherwise;
            }
            if (value instanceof String text) {
                return text;
            }
            throw wrongType(key, value, "a text");
        }

        boolean flag(String key, boolean otherwise) {
            Object value = take(key);
            if (value == null) {
                return otherwise;
            }
            if (value instanceof Boolean flag) {
                return flag;
            }
            throw wrongType(key, value, "true or false");
        }

        StatusPublication publication(String key, StatusPublication otherwise) {
            Object value = take(key);
            if (value == null) {
                return otherwise;
            }
            for (StatusPublication one : StatusPublication.values()) {
                if (one.text().equals(value)) {
                    return one;
                }
            }
            throw wrongType(key, value, "\"local\" or \"cluster\"");
        }

        long number(String key, long otherwise) {
            Object value = take(key);
            if (value == null) {
                return otherwise;
            }
            if (value instanceof Integer || value instanceof Long) {
                return ((Number) value).longValue();
            }
            throw wrongType(key, value, "a whole number");
        }

        List<String> texts(String key) {
            Object value = take(key);
            if (value == null) {
                return List.of();
            }
            List<String> texts = new ArrayList<>();
            if (value instanceof Iterable<?> items) {
                for (Object item : items) {
                    if (!(item instanceof String text)) {
                        throw wrongType(key, String.valueOf(item), "a list of texts");
                    }
                    texts.add(text);
                }
                return List.copyOf(texts);
            }
            throw wrongType(key, value, "a list of texts");
        }

        void refuseOthers() {
            for (String key : json.fieldNames()) {
                if (!known.contains(key)) {
                    throw new IllegalArgumentException("the status verticle cannot start: "
                            + NearestNames.unknown("option", key, known)
                            + " An option that is not understood is refused, because a typing error would otherwise be"
                            + " a setting that silently does nothing.");
                }
            }
        }

        private @Nullable Object take(String key) {
            known.add(key);
            return json.getValue(key);
        }

        private static IllegalArgumentException wrongType(String key, Object value, String wanted) {
            return new IllegalArgumentException("the status verticle cannot start: option \"" + key + "\" is "
                    + Printable.line(value instanceof String text ? '"' + text + '"' : String.valueOf(value))
                    + ", and it wants " + wanted);
        }
    }
}
