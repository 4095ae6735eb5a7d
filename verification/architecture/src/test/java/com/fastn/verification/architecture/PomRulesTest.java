package com.fastn.verification.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What the poms may say, and what the documents say about them. */
class PomRulesTest {
    private static final Pattern SECTION = Pattern.compile("^## (\\S+)$", Pattern.MULTILINE);
    private static final Pattern ROW = Pattern.compile("^\\| ([A-Za-z][A-Za-z0-9-]*) \\|", Pattern.MULTILINE);
    private static final Pattern BUILDS_ON = Pattern.compile("^`(fastn-[a-z-]+)`, and:$", Pattern.MULTILINE);

    @Test
    void aVersionOfAnythingStandsInTheRootPomAsAPropertyAndNowhereElse() {
        List<String> literals = Stream.concat(Stream.of(Poms.root()), Poms.modules().stream())
                .flatMap(pom -> pom.literalVersions().stream())
                .toList();
        assertThat(literals).isEmpty();
    }

    @Test
    void everyModuleHasTheVersionOfTheRoot() {
        String version = Poms.root().version();
        assertThat(Poms.modules())
                .isNotEmpty()
                .allSatisfy(pom -> assertThat(pom.version()).as(pom.toString()).isEqualTo(version));
    }

    @Test
    void theBomListsExactlyThePublishedArtifacts() {
        Poms.Pom bom = Poms.modules().stream()
                .filter(pom -> pom.artifactId().equals("fastn-context-bom"))
                .findFirst()
                .orElseThrow();
        assertThat(bom.managedArtifacts()).isEqualTo(Poms.publishedByArtifact().keySet());
    }

    @Test
    void theDocumentHasASectionForEachPublishedArtifactAndNoOther() throws IOException {
        assertThat(documented().keySet()).isEqualTo(Poms.publishedByArtifact().keySet());
    }

    /** What an artifact brings along is what its pom names and what our artifacts among these bring along. */
    @TestFactory
    Stream<DynamicTest> theDocumentListsExactlyTheRuntimeDependenciesOf() throws IOException {
        Map<String, Set<String>> documented = documented();
        Map<String, Set<String>> declared = new HashMap<>();
        Poms.publishedByArtifact().forEach((artifact, pom) -> declared.put(artifact, pom.runtimeDependencies()));
        return declared.keySet().stream()
                .sorted()
                .map(artifact -> DynamicTest.dynamicTest(
                        artifact,
                        () -> assertThat(closure(artifact, documented))
                                .as("docs/dependencies.md, compared with the poms")
                                .isEqualTo(closure(artifact, declared))));
    }

    /** A list is made while the artifact is packaged, so where it was not there is none to look at. */
    @TestFactory
    Stream<DynamicTest> S21_theBillOfMaterialsInTheJarListsWhatComesAlong() throws IOException {
        Map<String, Set<String>> documented = documented();
        return Poms.publishedByArtifact().entrySet().stream()
                .map(published -> DynamicTest.dynamicTest(published.getKey(), () -> {
                    Path bill = published
                            .getValue()
                            .folder()
                            .resolve("target/classes/META-INF/sbom/" + published.getKey() + ".cdx.json");
                    assumeThat(bill).as("it was packaged").exists();
                    Set<String> listed = new TreeSet<>();
                    new ObjectMapper()
                            .readTree(bill.toFile())
                            .get("components")
                            .forEach(component ->
                                    listed.add(component.get("name").asText()));
                    Set<String> expected = closure(published.getKey(), documented);
                    listsWhatComesAlong(listed, expected);
                    Set<String> lacking = new TreeSet<>(listed);
                    lacking.remove(expected.iterator().next());
                    assertThatThrownBy(() -> listsWhatComesAlong(lacking, expected))
                            .as("the check has to notice a list that lacks one")
                            .isInstanceOf(AssertionError.class);
                }));
    }

    private static void listsWhatComesAlong(Set<String> listed, Set<String> expected) {
        assertThat(listed)
                .containsAll(expected)
                .doesNotContain("assertj-core", "awaitility", "error_prone_annotations");
    }

    /** Each section's rows, and the artifact of ours that it builds on. */
    private static Map<String, Set<String>> documented() throws IOException {
        String text = Files.readString(Poms.rootFolder().resolve("docs/dependencies.md"));
        Map<String, Set<String>> sections = new HashMap<>();
        Matcher section = SECTION.matcher(text);
        while (section.find()) {
            int next = text.indexOf("\n## ", section.end());
            String body = text.substring(section.end(), next < 0 ? text.length() : next);
            Set<String> listed = new TreeSet<>();
            ROW.matcher(body).results().map(row -> row.group(1)).forEach(listed::add);
            listed.remove("dependency");
            BUILDS_ON.matcher(body).results().map(ours -> ours.group(1)).forEach(listed::add);
            sections.put(section.group(1), listed);
        }
        return sections;
    }

    private static Set<String> closure(String artifact, Map<String, Set<String>> direct) {
        Set<String> all = new TreeSet<>();
        ArrayDeque<String> open = new ArrayDeque<>(direct.getOrDefault(artifact, Set.of()));
        while (!open.isEmpty()) {
            String one = open.pop();
            if (all.add(one)) {
                open.addAll(direct.getOrDefault(one, Set.of()));
            }
        }
        return all;
    }
}
