package com.fastn.context.status;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The figures of a machine out of JSON tokens. */
final class SystemMetricsReader {
    private final JsonTokens in;

    SystemMetricsReader(JsonTokens in) {
        this.in = in;
    }

    SystemMetrics read() throws IOException {
        Double cpu = null;
        Long memoryUsed = null;
        Long memoryTotal = null;
        Long diskUsed = null;
        Long diskTotal = null;
        Long rx = null;
        Long tx = null;
        List<Double> load = null;
        Duration uptime = null;
        SystemMetrics.Ages ages = SystemMetrics.Ages.UNKNOWN;
        SystemMetrics.Jvm jvm = null;
        SystemMetrics.Container container = null;
        in.requireObject("system_metrics");
        for (String name = in.nextField(); name != null; name = in.nextField()) {
            if (in.isNull()) {
                continue;
            }
            switch (name) {
                case "cpu_usage_percent" -> cpu = in.doubleValue(name);
                case "memory_used_bytes" -> memoryUsed = in.longValue(name);
                case "memory_total_bytes" -> memoryTotal = in.longValue(name);
                case "disk_used_bytes" -> diskUsed = in.longValue(name);
                case "disk_total_bytes" -> diskTotal = in.longValue(name);
                case "network_rx_bytes_per_sec" -> rx = in.longValue(name);
                case "network_tx_bytes_per_sec" -> tx = in.longValue(name);
                case "load_average" -> {
                    List<Double> read = new ArrayList<>();
                    in.list(name, () -> read.add(in.doubleValue("load_average")));
                    load = read;
                }
                case "uptime_ms" -> uptime = in.duration(name);
                case "ages" -> ages = ages();
                case "jvm" -> jvm = jvm();
                case "container" -> container = container();
                default -> in.json.skipChildren();
            }
        }
        return new SystemMetrics(
                cpu, memoryUsed, memoryTotal, diskUsed, diskTotal, rx, tx, load, uptime, ages, jvm, container);
    }

    private SystemMetrics.Ages ages() throws IOException {
        Duration cpu = null;
        Duration memory = null;
        Duration disk = null;
        Duration network = null;
        Duration load = null;
        in.requireObject("ages");
        for (String name = in.nextField(); name != null; name = in.nextField()) {
            if (in.isNull()) {
                continue;
            }
            switch (name) {
                case "cpu_ms" -> cpu = in.duration(name);
                case "memory_ms" -> memory = in.duration(name);
                case "disk_ms" -> disk = in.duration(name);
                case "network_ms" -> network = in.duration(name);
                case "load_ms" -> load = in.duration(name);
                default -> in.json.skipChildren();
            }
        }
        return new SystemMetrics.Ages(cpu, memory, disk, network, load);
    }

    private SystemMetrics.Jvm jvm() throws IOException {
        long heapUsed = 0;
        Long heapMax = null;
        long gcCount = 0;
        Duration gcTime = Duration.ZERO;
        int threads = 0;
        Duration uptime = Duration.ZERO;
        long pid = 0;
        String version = null;
        in.requireObject("jvm");
        for (String name = in.nextField(); name != null; name = in.nextField()) {
            if (in.isNull()) {
                continue;
            }
            switch (name) {
                case "heap_used_bytes" -> heapUsed = in.longValue(name);
                case "heap_max_bytes" -> heapMax = in.longValue(name);
                case "gc_count" -> gcCount = in.longValue(name);
                case "gc_time_ms" -> gcTime = in.duration(name);
                case "threads" -> threads = in.smallCount(name);
                case "uptime_ms" -> uptime = in.duration(name);
                case "pid" -> pid = in.longValue(name);
                case "version" -> version = in.string(name);
                default -> in.json.skipChildren();
            }
        }
        return new SystemMetrics.Jvm(
                heapUsed, heapMax, gcCount, gcTime, threads, uptime, pid, version == null ? "?" : version);
    }

    private SystemMetrics.Container container() throws IOException {
        Double cpus = null;
        Long limit = null;
        Long used = null;
        in.requireObject("container");
        for (String name = in.nextField(); name != null; name = in.nextField()) {
            if (in.isNull()) {
                continue;
            }
            switch (name) {
                case "cpus" -> cpus = in.doubleValue(name);
                case "memory_limit_bytes" -> limit = in.longValue(name);
                case "memory_used_bytes" -> used = in.longValue(name);
                default -> in.json.skipChildren();
            }
        }
        return new SystemMetrics.Container(cpus, limit, used);
    }
}
