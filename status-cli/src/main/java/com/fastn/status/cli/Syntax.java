package com.fastn.status.cli;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.IGetter;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/**
 * What the command line of a command may say, as picocli is told of it.
 *
 * <p>Annotations would say the same; but they are read by reflection and proxies that are generated anew in each process, which of one
 * command takes longer than to ask a node and to draw what it answers.
 */
final class Syntax {
    static final String DEBUG = "--debug";

    private static final String COMMA = ",";

    private final CommandSpec spec;

    /**
     * Begins with a command that takes nothing.
     *
     * @param name what it is called on the command line
     * @param command what it does
     * @param description what it does, in a sentence
     */
    Syntax(String name, Callable<Integer> command, String description) {
        spec = CommandSpec.wrapWithoutInspection(command).name(name);
        spec.usageMessage().sortOptions(false).description(description);
    }

    /** Shows lines below the options. */
    Syntax footer(String... lines) {
        spec.usageMessage().footer(lines);
        return this;
    }

    /** Shows it in no help. */
    Syntax hidden() {
        spec.usageMessage().hidden(true);
        return this;
    }

    /**
     * Takes an option without a value.
     *
     * @param names how it is written, such as {@code -w, --watch}
     * @param description what it does
     * @param taken is told when it is there
     */
    Syntax flag(String names, String description, Consumer<Boolean> taken) {
        spec.addOption(named(names, description, new Taking<>(taken))
                .type(boolean.class)
                .build());
        return this;
    }

    /**
     * Takes an option with a value.
     *
     * @param names how it is written
     * @param type of the value
     * @param label what stands for the value in the help
     * @param description what it does
     * @param taken is told the value when it is there
     */
    <T> Syntax option(String names, Class<T> type, String label, String description, Consumer<T> taken) {
        spec.addOption(named(names, description, new Taking<>(taken))
                .type(type)
                .converters(converters(type))
                .completionCandidates(candidates(type))
                .paramLabel(label)
                .build());
        return this;
    }

    /** Takes an option with values that are separated by commas. */
    Syntax list(String names, String label, String description, Consumer<List<String>> taken) {
        Gathering gathered = new Gathering(taken);
        spec.addOption(named(names, description, gathered)
                .getter(gathered)
                .type(List.class)
                .auxiliaryTypes(String.class)
                .splitRegex(COMMA)
                .paramLabel(label)
                .build());
        return this;
    }

    /** Takes a first parameter that has to be there. */
    <T> Syntax parameter(Class<T> type, String label, String description, Consumer<T> taken) {
        spec.addPositional(placed("0", label, description, new Taking<>(taken))
                .type(type)
                .converters(converters(type))
                .completionCandidates(candidates(type))
                .arity("1")
                .required(true)
                .build());
        return this;
    }

    /** Takes a first parameter that may be left out. */
    <T> Syntax optionalParameter(Class<T> type, String label, String description, Consumer<T> taken) {
        spec.addPositional(placed("0", label, description, new Taking<>(taken))
                .type(type)
                .arity("0..1")
                .build());
        return this;
    }

    /**
     * Takes parameters, each of which may be several that are separated by commas.
     *
     * @param index which parameters
     * @param label what stands for one of them in the help
     * @param description what they are
     * @param taken is told all of them
     */
    Syntax parameters(String index, String label, String description, Consumer<List<String>> taken) {
        Gathering gathered = new Gathering(taken);
        spec.addPositional(placed(index, label, description, gathered)
                .getter(gathered)
                .type(List.class)
                .auxiliaryTypes(String.class)
                .splitRegex(COMMA)
                .arity("0..*")
                .build());
        return this;
    }

    /** Takes options that other commands have too. */
    Syntax with(Options options) {
        options.tell(this);
        return this;
    }

    /** Takes what every command does. */
    Syntax common() {
        spec.addOption(named("-h, --help", "Shows this help.", new Taking<>(Syntax::elsewhere))
                .type(boolean.class)
                .usageHelp(true)
                .build());
        spec.versionProvider(new Fastn.Version());
        spec.addOption(named("--version", "Shows the version.", new Taking<>(Syntax::elsewhere))
                .type(boolean.class)
                .versionHelp(true)
                .build());
        return flag(DEBUG, "Shows where in the program an error comes from.", Syntax::elsewhere);
    }

    /** Takes what picocli heeds itself, or what is looked for before it reads anything. */
    private static void elsewhere(Object given) {}

    /** {@return it as picocli has it} */
    CommandSpec spec() {
        return spec;
    }

    /** {@return what is thrown where the command line can be read, and yet means nothing} */
    ParameterException misuse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** {@return what reads a value, where picocli's own way would refuse it in words that are not those of the guide} */
    private static ITypeConverter<?>[] converters(Class<?> type) {
        if (type.isEnum()) {
            return new ITypeConverter<?>[] {new Choice(type)};
        }
        if (type == Double.class) {
            return new ITypeConverter<?>[] {new Fraction()};
        }
        return type == Integer.class ? new ITypeConverter<?>[] {new WholeNumber()} : new ITypeConverter<?>[0];
    }

    /** {@return what a shell completes a value to, or {@code null} when it can be anything} */
    private static @Nullable Iterable<String> candidates(Class<?> type) {
        return type.isEnum() ? new Candidates(type) : null;
    }

    private static OptionSpec.Builder named(String names, String description, ISetter setter) {
        return OptionSpec.builder(names.split(", "))
                .description(description)
                .setter(setter)
                .hasInitialValue(false);
    }

    private static PositionalParamSpec.Builder placed(String index, String label, String description, ISetter setter) {
        return PositionalParamSpec.builder()
                .index(index)
                .paramLabel(label)
                .description(description)
                .setter(setter)
                .hasInitialValue(false);
    }

    /** Passes a value on, which is of the type that picocli was told. */
    private record Taking<V>(Consumer<V> taken) implements ISetter {
        @Override
        @SuppressWarnings("unchecked")
        public <T> T set(T value) {
            taken.accept((V) value);
            return value;
        }
    }

    /** The constants of an enum as the help and the guide write them, made only when a shell is taught. */
    private record Candidates(Class<?> type) implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            List<String> names = new ArrayList<>();
            for (Object constant : type.getEnumConstants()) {
                names.add(((Enum<?>) constant).name().toLowerCase(Locale.ROOT));
            }
            return names.iterator();
        }
    }

    /** Reads one of a few words, in letters of any case. */
    private record Choice(Class<?> type) implements ITypeConverter<Object> {
        @Override
        public Object convert(String value) {
            for (Object constant : type.getEnumConstants()) {
                if (((Enum<?>) constant).name().equalsIgnoreCase(value)) {
                    return constant;
                }
            }
            StringBuilder known = new StringBuilder();
            Iterator<String> names = new Candidates(type).iterator();
            for (String name = names.next(); ; name = names.next()) {
                boolean last = !names.hasNext();
                known.append(known.length() == 0 ? "" : last ? " or " : ", ").append(name);
                if (last) {
                    throw new TypeConversionException("it is " + known + ", not \"" + Printable.line(value) + "\"");
                }
            }
        }
    }

    /** Reads a number. */
    private record WholeNumber() implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            try {
                return Integer.valueOf(value);
            } catch (NumberFormatException e) {
                throw new TypeConversionException(
                        "it is a whole number, such as 20, not \"" + Printable.line(value) + "\"");
            }
        }
    }

    /** Reads a number that may have a fraction. */
    private record Fraction() implements ITypeConverter<Double> {
        @Override
        public Double convert(String value) {
            try {
                return Double.valueOf(value);
            } catch (NumberFormatException e) {
                throw new TypeConversionException(
                        "it is a number, such as 0.5 or 10, not \"" + Printable.line(value) + "\"");
            }
        }
    }

    /**
     * Passes a list on whenever it has grown. Picocli asks for the list that it began in this command line, to add to it: where none is
     * kept it begins another one for each option, and for the names behind it, and what was said before is lost.
     */
    private static final class Gathering implements IGetter, ISetter {
        private final Consumer<List<String>> taken;
        private @Nullable Object kept;

        Gathering(Consumer<List<String>> taken) {
            this.taken = taken;
        }

        @Override
        // Picocli declares it so, asks before it has begun a list, and takes null for that.
        @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"})
        public <T> T get() {
            return (T) kept;
        }

        @Override
        @SuppressWarnings("unchecked")
        public <T> T set(T value) {
            kept = value;
            taken.accept(List.copyOf((List<String>) value));
            return value;
        }
    }
}
