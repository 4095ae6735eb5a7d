package com.fastn.status.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusFormatException;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.WaitEpisode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** {@code fastn episodes}: when contexts were stuck, and behind whom. */
final class EpisodesCommand implements Subcommand {
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(100)
                    .maxStringLength(64 << 10)
                    .maxNameLength(4 << 10)
                    .maxNumberLength(32)
                    .build())
            .build();

    private final Surroundings surroundings;
    private final Syntax syntax;
    private final TargetOptions targets = new TargetOptions();
    private boolean json;
    private final LookOptions look = new LookOptions();

    EpisodesCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax(
                        "episodes",
                        this,
                        "Lists the times in which contexts were stuck behind somebody, as the nodes remember them: those that"
                                + " go on, then those that ended last.")
                .footer("", "With --cluster those of every node that this machine can reach itself.", "", ExitCode.TOLD)
                .with(targets)
                .flag("--json", "JSON for programs: one episode on each line.", given -> json = given)
                .with(look)
                .common();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    @Override
    public Integer call() {
        targets.check(syntax);
        look.check(syntax);
        Targets there = Targets.find(surroundings, "episodes");
        StatusPorts ports = new StatusPorts(targets.timeout, surroundings.ticker());
        List<Endpoint> nodes = nodes(there);
        List<Trouble> troubles = new ArrayList<>();
        List<Remembered> episodes = new ArrayList<>();
        Map<Endpoint, Object> answers = Inquiry.atOnce(nodes, node -> episodesOrTrouble(ports, node));
        for (Map.Entry<Endpoint, Object> answer : answers.entrySet()) {
            if (answer.getValue() instanceof Trouble trouble) {
                troubles.add(trouble);
                continue;
            }
            for (Object each : (List<?>) answer.getValue()) {
                episodes.add(new Remembered(answer.getKey(), (WaitEpisode) each));
            }
        }
        if (troubles.size() == answers.size()) {
            throw troubles.get(0);
        }
        // The newest first, as each node has its own.
        episodes.sort(Comparator.comparing(Remembered::end)
                .thenComparing(Remembered::start)
                .reversed());
        if (json) {
            episodes.forEach(each -> surroundings.out().print(Sanitizer.json(StatusJson.write(each.episode)) + "\n"));
        } else {
            Table table = new Table("NODE", "SINCE", "LASTED", "STATE", "STUCK", "ON", "BEHIND", "WHAT IT DID");
            episodes.forEach(each -> row(table, each.node, each.episode));
            surroundings
                    .out()
                    .print(episodes.isEmpty() ? "nothing was stuck\n" : table.drawn(look.terminal(surroundings)));
        }
        troubles.forEach(trouble -> surroundings.note(String.valueOf(trouble.getMessage())));
        return troubles.isEmpty() ? ExitCode.OK : ExitCode.PARTIAL;
    }

    /**
     * An episode of a node.
     *
     * @param node who remembers it
     * @param episode what it remembers
     */
    private record Remembered(Endpoint node, WaitEpisode episode) {
        /** {@return when it ended; what goes on is newer than all that is over} */
        private Instant end() {
            Instant end = episode.end();
            return end == null ? Instant.MAX : end;
        }

        private Instant start() {
            return episode.start();
        }
    }

    private static Object episodesOrTrouble(StatusPorts ports, Endpoint node) {
        try {
            return episodes(node, ports.ask(node, "/status/episodes?format=json"));
        } catch (Trouble trouble) {
            return trouble;
        }
    }

    /** Each node remembers its own, so only those that can be asked themselves have any to tell. */
    private List<Endpoint> nodes(Targets there) {
        if (targets.cluster && !there.all().isEmpty()) {
            return there.all();
        }
        List<Endpoint> nodes = new ArrayList<>();
        for (Meant meant : there.meant(targets)) {
            if (!(meant instanceof Meant.Node node)) {
                throw new Trouble(
                        ExitCode.USAGE,
                        "episodes are not listed",
                        "\"" + Printable.line(String.join(",", targets.names))
                                + "\" names a node that only its cluster knows, and each node remembers its own",
                        "run fastn episodes on its machine, or name it in the configuration");
            }
            nodes.add(node.endpoint());
        }
        return nodes;
    }

    private static void row(Table table, Endpoint node, WaitEpisode episode) {
        table.row(
                node.alias(),
                episode.start().truncatedTo(ChronoUnit.SECONDS),
                HumanText.duration(episode.lasted()),
                episode.isOpen() ? "goes on" : "over",
                HumanText.count(episode.mostWaiters()),
                episode.name(),
                episode.root().shortName(),
                episode.rootText());
    }

    static List<WaitEpisode> episodes(Endpoint node, byte[] body) {
        String text = new String(body, StandardCharsets.UTF_8);
        List<WaitEpisode> episodes = new ArrayList<>();
        try (JsonParser parser = JSON.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw strange(node, "it is no JSON object");
            }
            boolean found = false;
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean list = parser.currentName().equals("episodes") && parser.nextToken() == JsonToken.START_ARRAY;
                if (!list) {
                    if (parser.currentToken() == JsonToken.FIELD_NAME) {
                        parser.nextToken();
                    }
                    parser.skipChildren();
                    continue;
                }
                found = true;
                while (parser.nextToken() == JsonToken.START_OBJECT) {
                    int begin = (int) parser.currentTokenLocation().getCharOffset();
                    parser.skipChildren();
                    int end = (int) parser.currentLocation().getCharOffset();
                    episodes.add(StatusJson.readEpisode(text.substring(begin, end)));
                }
            }
            if (!found) {
                throw strange(node, "it has no list of episodes");
            }
        } catch (StatusFormatException e) {
            throw strange(node, e.what() + ": " + e.why());
        } catch (IOException e) {
            throw strange(node, String.valueOf(e.getMessage()));
        }
        return episodes;
    }

    private static Trouble strange(Endpoint node, String why) {
        return new Trouble(
                ExitCode.ERROR,
                "the answer of node \"" + Printable.line(node.alias()) + "\" is not understood",
                Printable.line(why),
                node.ifStrange());
    }
}
