package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fastn.context.status.NodeIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeDescriptorTest {
    private static final Instant STARTED = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant PROCESS_STARTED = Instant.parse("2001-01-01T00:00:00Z");
    private static final NodeIdentity ALICE = new NodeIdentity("alice", "i-1");

    @TempDir
    Path temp;

    @Test
    void S20_onlyTheOwnerCanReadItAndItsFolder() throws IOException {
        Path folder = temp.resolve("fastn");
        try (NodeDescriptor descriptor = write(folder, ALICE)) {
            assertThat(descriptor.file()).isEqualTo(folder.resolve("alice-77.json"));
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                    .isEqualTo("rwx------");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(descriptor.file())))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void itSaysWhoWhereAndSinceWhen() throws IOException {
        try (NodeDescriptor descriptor = write(temp.resolve("fastn"), new NodeIdentity("a\"b\nc", "i-1"))) {
            JsonNode json = new ObjectMapper().readTree(descriptor.file().toFile());
            assertThat(json.get("schema").asInt()).isEqualTo(1);
            assertThat(json.get("pid").asLong()).isEqualTo(77);
            assertThat(json.get("pid_scope").asText()).isEqualTo("boot/pid:[1]");
            assertThat(json.get("alias").asText()).isEqualTo("a\"b\nc");
            assertThat(json.get("url").asText()).isEqualTo("http://127.0.0.1:4711");
            assertThat(json.get("incarnation").asText()).isEqualTo("i-1");
            assertThat(Instant.parse(json.get("started").asText())).isEqualTo(STARTED);
        }
    }

    @Test
    void itIsGoneAfterwardsAndClosingTwiceDoesNoHarm() throws IOException {
        Path folder = temp.resolve("fastn");
        NodeDescriptor descriptor = write(folder, ALICE);
        descriptor.close();
        descriptor.close();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void S20_aFolderThatOthersMayWriteIsRefusedAndLeftAsItIs() throws IOException {
        Path folder = Files.createDirectory(temp.resolve("fastn"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(() -> write(folder, ALICE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("chmod 700 " + folder);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwxrwxrwx");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void S20_aFolderThatOthersMayReadIsTakenAsItIs() throws IOException {
        Path folder = Files.createDirectory(temp.resolve("fastn"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (NodeDescriptor descriptor = write(folder, ALICE)) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(descriptor.file())))
                    .isEqualTo("rw-------");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                    .isEqualTo("rwxr-xr-x");
        }
    }

    @Test
    void S20_aFolderOfSomebodyElseIsRefused() {
        assertThat(NodeDescriptor.objection(temp, "somebody-else", PosixFilePermissions.fromString("rwx------")))
                .contains("belongs to somebody-else")
                .contains("FASTN_RUNTIME_DIR");
    }

    @Test
    void aLinkInPlaceOfTheFolderIsNotFollowed() throws IOException {
        Path elsewhere = Files.createDirectory(temp.resolve("elsewhere"));
        Path folder = Files.createSymbolicLink(temp.resolve("fastn"), elsewhere);

        assertThatThrownBy(() -> write(folder, ALICE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not a folder");
        assertThat(elsewhere).isEmptyDirectory();
    }

    @Test
    void twoNodesOfOneProcessThatShareAnAliasHaveAFileEach() throws IOException {
        Path folder = temp.resolve("fastn");
        try (NodeDescriptor first = write(folder, ALICE);
                NodeDescriptor second = write(folder, new NodeIdentity("alice", "i-2"))) {
            assertThat(second.file()).isNotEqualTo(first.file());
            second.close();
            assertThat(first.file()).exists();
        }
    }

    @Test
    void whatAKilledProcessOfTheSameIdLeftIsReplaced() throws IOException {
        Path folder = Files.createDirectory(temp.resolve("fastn"));
        Path left = Files.writeString(folder.resolve("alice-77.json"), "{}");
        Files.setLastModifiedTime(left, FileTime.from(PROCESS_STARTED.minusSeconds(3_600)));
        try (NodeDescriptor descriptor = write(folder, ALICE)) {
            assertThat(descriptor.file()).isEqualTo(left);
            assertThat(Files.readString(left)).contains("i-1");
        }
    }

    @Test
    void aHostileAliasCannotLeaveTheFolder() throws IOException {
        Path folder = temp.resolve("fastn");
        try (NodeDescriptor descriptor = write(folder, new NodeIdentity("../../etc/pass wd\u0000", "i-1"))) {
            assertThat(descriptor.file().getParent()).isEqualTo(folder);
            assertThat(descriptor.file().getFileName().toString()).doesNotStartWith(".");
        }
        assertThat(NodeDescriptor.sanitised(".hidden")).isEqualTo("_hidden");
        assertThat(NodeDescriptor.sanitised("")).isEqualTo("_");
        assertThat(NodeDescriptor.sanitised("x".repeat(1_000))).hasSize(64);
        assertThat(NodeDescriptor.sanitised("web-1.eu_x")).isEqualTo("web-1.eu_x");
    }

    @Test
    void theFolderIsTheExplicitOneElseTheUsersElseATemporaryOne() {
        Map<String, String> properties = Map.of("user.name", "ann", "java.io.tmpdir", "/var/tmp");
        assertThat(NodeDescriptor.folder(properties::get, name -> null)).isEqualTo(Path.of("/var/tmp/fastn-ann"));
        assertThat(NodeDescriptor.folder(properties::get, Map.of("XDG_RUNTIME_DIR", "/run/user/7")::get))
                .isEqualTo(Path.of("/run/user/7/fastn"));
        Map<String, String> both = Map.of("XDG_RUNTIME_DIR", "/run/user/7", "FASTN_RUNTIME_DIR", "/x");
        assertThat(NodeDescriptor.folder(properties::get, both::get)).isEqualTo(Path.of("/x"));
        assertThat(NodeDescriptor.folder(Map.of("fastn.runtime.dir", "/y")::get, both::get))
                .isEqualTo(Path.of("/y"));
    }

    private static NodeDescriptor write(Path folder, NodeIdentity node) throws IOException {
        return NodeDescriptor.write(
                folder,
                node,
                new NodeDescriptor.Access("http://127.0.0.1:4711", null, null),
                new NodeDescriptor.OwnProcess(77, PROCESS_STARTED, "boot/pid:[1]"),
                STARTED);
    }
}
