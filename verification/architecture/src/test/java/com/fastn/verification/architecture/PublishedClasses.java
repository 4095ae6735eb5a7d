package com.fastn.verification.architecture;

import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.LocationProvider;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The classes of every published module: a folder of classes, or a jar once there is one. */
public final class PublishedClasses implements LocationProvider {
    private static final String IN_KOTLIN = "fastn-context-kotlin";

    /** Made by ArchUnit. */
    public PublishedClasses() {}

    @Override
    public Set<Location> get(Class<?> testClass) {
        Set<Location> locations = new LinkedHashSet<>();
        for (Path path : paths()) {
            locations.add(Location.of(path.toString().endsWith(".jar") ? jar(path) : path.toUri()));
        }
        return locations;
    }

    private static java.net.URI jar(Path path) {
        return java.net.URI.create("jar:" + path.toUri() + "!/");
    }

    /** Where the classes of the published modules are; none may be missing from the class path. */
    static List<Path> paths() {
        List<Path> classPath = classPath();
        List<Path> found = new ArrayList<>();
        for (Poms.Pom module : Poms.published()) {
            if (module.artifactId().equals(IN_KOTLIN)) {
                continue;
            }
            Path target = module.folder().resolve("target");
            found.add(classPath.stream()
                    .filter(path -> path.startsWith(target))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException(
                            module.artifactId() + " is published and not looked at; make it a test dependency here")));
        }
        return found;
    }

    static List<Path> classPath() {
        List<Path> paths = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            paths.add(Path.of(entry));
        }
        return paths;
    }
}
