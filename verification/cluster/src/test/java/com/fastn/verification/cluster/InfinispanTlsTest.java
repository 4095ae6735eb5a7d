package com.fastn.verification.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fastn.verification.cluster.LoopbackCluster.Manager;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;

/** The configuration of docs/cluster.md in which members of Infinispan and nodes of the bus prove to each other who they are. */
@Tag("slow")
@EnabledForJreRange(max = JRE.JAVA_22, disabledReason = "see InfinispanTest")
class InfinispanTlsTest {
    /** Two that start at once may begin two clusters, which find together within half a minute. */
    private static final Duration SOON = Duration.ofSeconds(90);

    private static final long TIMEOUT = 5_000;
    /** Of a question that is asked once. */
    private static final long PATIENT = 30_000;

    @TempDir
    Path folder;

    private final List<Jvm> nodes = new ArrayList<>();

    @AfterEach
    void killAll() {
        nodes.forEach(Jvm::kill);
    }

    @Test
    void S4_whoHasNoKeyThatTheOthersTrustIsNeitherLetInNorTold() throws Exception {
        String ours = key("ours");
        String theirs = key("theirs");
        Consumer<Scene> notLetIn = scene -> {
            assertThat(members(scene.alice)).hasSize(2);
            assertThat(members(scene.mallory)).hasSize(1);
        };
        Consumer<Scene> notTold = scene -> assertThat(Answers.states(scene.mallory.ask("fastn.status", null, PATIENT)))
                .isEqualTo(Map.of("mallory", "up"));

        Scene scene = play(ours, theirs, false);
        notLetIn.accept(scene);
        notTold.accept(scene);
        killAll();

        // Where nobody is asked whose key it is, both checks have to fail.
        Scene trusting = play(ours, theirs, true);
        untilUp(trusting.mallory, "alice", "bob", "mallory");
        assertThatThrownBy(() -> notLetIn.accept(trusting)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> notTold.accept(trusting))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("alice");
    }

    private record Scene(Jvm alice, Jvm mallory) {}

    /** Who comes last finds a cluster of two that know each other, and has tried to join it when she is ready. */
    private Scene play(String ours, String theirs, boolean trustAll) {
        List<Integer> ports = List.copyOf(ClusterExtension.freePorts(3));
        Jvm alice = start("alice", ours, ports, 0, trustAll);
        Jvm bob = start("bob", ours, ports, 1, trustAll);
        List.of(alice, bob).forEach(Jvm::facts);
        untilUp(alice, "alice", "bob");
        Jvm mallory = start("mallory", theirs, ports, 2, trustAll);
        mallory.facts();
        return new Scene(alice, mallory);
    }

    private static void untilUp(Jvm asker, String... aliases) {
        Map<String, String> up = Arrays.stream(aliases).collect(Collectors.toMap(alias -> alias, alias -> "up"));
        await().atMost(SOON).until(() -> {
            // While two clusters become one a question may be lost; then it is asked again.
            JsonObject answer =
                    asker.asking("fastn.status", null, TIMEOUT).join().getJsonObject("body");
            return answer != null && Answers.states(answer).equals(up);
        });
    }

    private Jvm start(String alias, String keys, List<Integer> ports, int place, boolean trustAll) {
        JsonObject settings = new JsonObject()
                .put("manager", Manager.INFINISPAN.name())
                .put("members", new JsonArray(ports))
                .put("port", ports.get(place))
                .put("keys", keys)
                .put("trustAll", trustAll);
        Jvm node = Jvm.start(alias, MonitorNode.class, System.getProperty("java.class.path"), settings);
        nodes.add(node);
        return node;
    }

    private static JsonArray members(Jvm node) {
        return node.command(new JsonObject().put("do", "truth")).getJsonArray("members");
    }

    /** Makes a key, with a certificate that it signed itself. */
    private String key(String name) throws IOException, InterruptedException {
        Path file = folder.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        name,
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "san=ip:127.0.0.1",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        LoopbackCluster.PASSWORD)
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        return file.toString();
    }
}
