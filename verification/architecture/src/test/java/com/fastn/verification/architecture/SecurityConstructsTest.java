package com.fastn.verification.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.status.http.AccessToken;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.Test;

/**
 * Rules of security that hold by how the code is made, where a measurement would only be a guess. Each check is run a second time on
 * something that breaks the rule, and has to notice it.
 */
class SecurityConstructsTest {
    private static final Set<String> ENDS_EARLY = Set.of(
            "java.lang.String.equals",
            "java.lang.String.equalsIgnoreCase",
            "java.lang.String.contentEquals",
            "java.lang.String.compareTo",
            "java.lang.String.compareToIgnoreCase",
            "java.lang.String.startsWith",
            "java.lang.String.endsWith",
            "java.lang.String.contains",
            "java.util.Arrays.equals",
            "java.util.Arrays.compare",
            "java.util.Arrays.mismatch",
            "java.util.Objects.equals");

    private static final ArchRule NOTHING_UNPACKS = ArchRuleDefinition.noClasses()
            .should()
            .dependOnClassesThat()
            .haveNameMatching(
                    "java\\.util\\.zip\\.(Inflater.*|GZIPInputStream|Zip.*|CheckedInputStream)|java\\.util\\.jar\\.Jar.*"
                            + "|io\\.netty\\.handler\\.codec\\.compression\\..*")
            .because("a few bytes could become a thousand times as many (S14)");

    @Test
    void S3_theTokenIsComparedInATimeThatDoesNotDependOnHowMuchOfItIsRight() {
        comparesInConstantTime(AccessToken.class);
        assertThatThrownBy(() -> comparesInConstantTime(Naive.class)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> comparesInConstantTime(Half.class)).isInstanceOf(AssertionError.class);
    }

    /** Digests are compared, and by the one method that looks at all of them; the token itself is not even kept. */
    private static void comparesInConstantTime(Class<?> token) {
        JavaClass type = new ClassFileImporter().importClass(token);
        Set<String> called = type.getMethodCallsFromSelf().stream()
                .filter(call -> call.getOrigin().getName().equals("isIn"))
                .map(call -> call.getTargetOwner().getName() + "." + call.getName())
                .collect(Collectors.toSet());
        assertThat(called).contains("java.security.MessageDigest.isEqual").doesNotContainAnyElementsOf(ENDS_EARLY);
        assertThat(type.getFields())
                .filteredOn(field -> !field.getModifiers().contains(JavaModifier.STATIC))
                .extracting(JavaField::getRawType)
                .extracting(JavaClass::getName)
                .containsOnly("[B");
    }

    @SuppressWarnings("UnusedMethod") // It is looked at and never run.
    private static final class Naive {
        private final String token = "secret";

        boolean isIn(List<String> authorizations) {
            return authorizations.contains("Bearer " + token) || token.equals(authorizations.get(0));
        }
    }

    /** The right call, and before it one that tells as much as the wrong one. */
    @SuppressWarnings("UnusedMethod") // It is looked at and never run.
    private static final class Half {
        private final byte[] digest = new byte[32];

        boolean isIn(List<String> authorizations) {
            byte[] given = authorizations.get(0).getBytes(java.nio.charset.StandardCharsets.UTF_8);
            return java.util.Arrays.equals(given, digest) && java.security.MessageDigest.isEqual(given, digest);
        }
    }

    @Test
    void S14_nothingThatComesIsUnpacked() {
        NOTHING_UNPACKS.check(published());
        assertThat(notices(NOTHING_UNPACKS, Unpacker.class)).isTrue();
    }

    @SuppressWarnings("UnusedMethod") // It is looked at and never run.
    private static final class Unpacker {
        int first(byte[] packed) throws IOException {
            try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(packed))) {
                return in.read();
            }
        }
    }

    @Test
    void S17_nothingIsMadeOfTheWordsOfJavaSerialization() throws IOException {
        CodeRulesTest.nothingSerializesJavaObjects.check(published());
        assertThat(notices(CodeRulesTest.nothingSerializesJavaObjects, Believer.class))
                .isTrue();
        assertThat(Files.readString(Poms.rootFolder().resolve("docs/cluster.md")))
                .as("the guide says how the application turns it off for the bus")
                .contains("serializableChecker");
    }

    @SuppressWarnings("UnusedMethod") // It is looked at and never run.
    private static final class Believer {
        Object read(byte[] bytes) throws IOException, ClassNotFoundException {
            try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
                return in.readObject();
            }
        }
    }

    private static JavaClasses published() {
        Set<Location> locations = new PublishedClasses().get(SecurityConstructsTest.class);
        return new ClassFileImporter().importLocations(locations);
    }

    private static boolean notices(ArchRule rule, Class<?> breaking) {
        return rule.evaluate(new ClassFileImporter().importClasses(breaking)).hasViolation();
    }

    private static final Pattern BINDS =
            Pattern.compile("\\.setHost\\(([^)]*)\\)|\\.listen\\(([^)]*)\\)|EventBusOptions\\(\\)([^)]*)");
    private static final Pattern LOOPBACK = Pattern.compile("127\\.0\\.0\\.1|LOOPBACK");

    @Test
    void S18_theExamplesListenOnThisMachineAlone() throws IOException {
        Path examples = Poms.rootFolder().resolve("examples");
        List<String> sources;
        try (Stream<Path> files = Files.walk(examples)) {
            sources = files.filter(file -> file.toString().matches(".*/src/main/.*\\.(java|kt)"))
                    .map(SecurityConstructsTest::text)
                    .toList();
        }
        assertThat(sources)
                .anyMatch(source -> source.contains(".listen("))
                .anyMatch(source -> source.contains("EventBusOptions()"));
        sources.forEach(SecurityConstructsTest::listensHere);
        for (String breaking : List.of(
                "server.listen(8080)",
                "server.listen(8080, \"0.0.0.0\")",
                "new EventBusOptions().setPort(1)",
                "options.setHost(args[0])",
                "new EventBusOptions().setHost(args[0])")) {
            assertThatThrownBy(() -> listensHere(breaking)).as(breaking).isInstanceOf(AssertionError.class);
        }
    }

    private static void listensHere(String source) {
        Matcher binds = BINDS.matcher(source);
        while (binds.find()) {
            assertThat(LOOPBACK.matcher(binds.group()).find()).as(binds.group()).isTrue();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
