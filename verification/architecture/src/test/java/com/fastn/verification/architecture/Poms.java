package com.fastn.verification.architecture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.jspecify.annotations.Nullable;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/** The poms of the project, read as text: what they say, and not what Maven makes of it. */
final class Poms {
    private static final Path ROOT = findRoot();

    private Poms() {}

    private static Path findRoot() {
        Path at = Path.of("").toAbsolutePath();
        while (at != null && !Files.isDirectory(at.resolve(".mvn"))) {
            at = at.getParent();
        }
        if (at == null) {
            throw new IllegalStateException("no folder above the working directory has a folder .mvn");
        }
        return at;
    }

    static Path rootFolder() {
        return ROOT;
    }

    static Pom root() {
        return new Pom(ROOT.resolve("pom.xml"));
    }

    /** The modules that the root pom names. */
    static List<Pom> modules() {
        return root().texts("modules", "module").stream()
                .map(module -> new Pom(ROOT.resolve(module).resolve("pom.xml")))
                .toList();
    }

    /** The modules that somebody else can depend on. */
    static List<Pom> published() {
        return modules().stream().filter(Pom::isPublished).toList();
    }

    static Map<String, Pom> publishedByArtifact() {
        return published().stream()
                .collect(Collectors.toMap(
                        Pom::artifactId,
                        Function.identity(),
                        (one, other) -> {
                            throw new IllegalStateException("two modules are named " + one.artifactId());
                        },
                        TreeMap::new));
    }

    /** One pom. */
    static final class Pom {
        private final Path file;
        private final Element project;

        private Pom(Path file) {
            this.file = file;
            try {
                this.project = DocumentBuilderFactory.newDefaultInstance()
                        .newDocumentBuilder()
                        .parse(file.toFile())
                        .getDocumentElement();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (SAXException | ParserConfigurationException e) {
                throw new IllegalStateException(file + " is not XML", e);
            }
        }

        Path folder() {
            Path parent = file.getParent();
            return parent == null ? file : parent;
        }

        String artifactId() {
            return required(project, "artifactId");
        }

        /** The version that stands in this pom, else that of its parent. */
        String version() {
            String own = textOf(project, "version");
            if (own != null) {
                return own;
            }
            Element parent = child(project, "parent");
            if (parent == null) {
                throw new IllegalStateException(this + " has neither a version nor a parent");
            }
            return required(parent, "version");
        }

        boolean isPublished() {
            Element properties = child(project, "properties");
            boolean skipped = properties != null && "true".equals(textOf(properties, "maven.deploy.skip"));
            return !skipped && !"pom".equals(textOf(project, "packaging"));
        }

        /** The artifacts that whoever uses this one gets, by what this pom itself says. */
        Set<String> runtimeDependencies() {
            Set<String> artifacts = new TreeSet<>();
            for (Element dependency : children(child(project, "dependencies"))) {
                String scope = textOf(dependency, "scope");
                boolean handedOn = scope == null || scope.equals("compile") || scope.equals("runtime");
                if (handedOn && !"true".equals(textOf(dependency, "optional"))) {
                    artifacts.add(required(dependency, "artifactId"));
                }
            }
            return artifacts;
        }

        Set<String> managedArtifacts() {
            Element management = child(project, "dependencyManagement");
            Set<String> artifacts = new TreeSet<>();
            for (Element dependency : children(management == null ? null : child(management, "dependencies"))) {
                artifacts.add(required(dependency, "artifactId"));
            }
            return artifacts;
        }

        /** Versions of dependencies, plugins and tools that are written out here, each with the place where it stands. */
        List<String> literalVersions() {
            List<String> literals = new ArrayList<>();
            collectLiteralVersions(project, literals);
            return literals;
        }

        private void collectLiteralVersions(Element parent, List<String> literals) {
            for (Element element : children(parent)) {
                // What the enforcer asks of Maven and of the JDK is a range, and no version of anything that we bring
                // along.
                boolean ofThisProject = parent == project
                        || parent.getTagName().equals("parent")
                        || parent.getTagName().startsWith("require");
                String text = element.getTextContent().strip();
                if (element.getTagName().equals("version") && !ofThisProject && !text.startsWith("${")) {
                    literals.add(this + " <" + parent.getTagName() + "> " + textOf(parent, "artifactId") + ": " + text);
                }
                collectLiteralVersions(element, literals);
            }
        }

        List<String> texts(String list, String item) {
            return children(child(project, list)).stream()
                    .filter(element -> element.getTagName().equals(item))
                    .map(element -> element.getTextContent().strip())
                    .toList();
        }

        private String required(Element parent, String tag) {
            String text = textOf(parent, tag);
            if (text == null) {
                throw new IllegalStateException(this + " has a <" + parent.getTagName() + "> without <" + tag + ">");
            }
            return text;
        }

        private static @Nullable String textOf(Element parent, String tag) {
            Element element = child(parent, tag);
            return element == null ? null : element.getTextContent().strip();
        }

        private static @Nullable Element child(Element parent, String tag) {
            return children(parent).stream()
                    .filter(element -> element.getTagName().equals(tag))
                    .findFirst()
                    .orElse(null);
        }

        private static List<Element> children(@Nullable Element parent) {
            List<Element> elements = new ArrayList<>();
            for (Node at = parent == null ? null : parent.getFirstChild(); at != null; at = at.getNextSibling()) {
                if (at instanceof Element element) {
                    elements.add(element);
                }
            }
            return elements;
        }

        @Override
        public String toString() {
            return ROOT.relativize(file).toString();
        }
    }
}
