package com.fastn.examples.kotlin

import com.fastn.context.ContextMutex
import com.fastn.context.ContextRuntime
import com.fastn.context.FastnContext
import com.fastn.context.status.MetricValue
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletableFuture.completedFuture
import kotlinx.coroutines.future.await
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test

/** The Java API as Kotlin sees it. That this compiles, with explicit types and warnings as errors, is half of the proof. */
class JavaApiTest {
    private val runtime: ContextRuntime = ContextRuntime.builder().rootName("kotlin").build()
    private val root: FastnContext = runtime.root()

    @AfterEach
    fun close() = runtime.close()

    @Test
    fun tasksAreLambdasAndKeepTheTypeOfTheirResult() = runBlocking<Unit> {
        val inChild: String = root.spawnChild("work") { work -> completedFuture(work.name()) }.await()
        val described: Int = root.child("sum").withData("of", listOf(1, 2)).spawn { completedFuture(3) }.await()
        val blocking: Long = root.child("blocking").spawnBlocking { 4L }.await()
        val nothing: String? = root.child("nothing").spawnBlocking<String?> { null }.await()
        assertThat(listOf(inChild, described, blocking, nothing)).containsExactly("work", 3, 4L, null)
    }

    @Test
    fun aMutexMayProtectNullAndThenSaysSo() = runBlocking<Unit> {
        val maybe: ContextMutex<String?> = root.mutex<String?>("maybe", null)
        val never: ContextMutex<String> = root.mutex("never", "a")
        val nothing: String? = maybe.withLock { completedFuture(it) }.await()
        val something: String = never.withLock { completedFuture(it + "b") }.await()
        never.lock().await().use { guard -> guard.update { it + "c" } }
        assertThat(nothing).isNull()
        assertThat(something).isEqualTo("ab")
        assertThat(never.tryLock()?.use { it.value() }).isEqualTo("ac")
        assertThat(root.mutex("bare").withLock { completedFuture(1) }.await()).isEqualTo(1)
    }

    @Test
    fun whatLastsEndsWithUse() {
        root.child("work").open().use { work ->
            work.makeCurrent().use { assertThat(FastnContext.current()).isEqualTo(work) }
            work.trackLive("calls").use { assertThat(work.getLive("calls")).isEqualTo(1) }
            assertThat(work.getLive("calls")).isZero()
            work.operation("query").use {
                assertThat(work.subtreeStatus().globalContext.operations.map { it.name }).containsExactly("query")
            }
            work.cancelAfter(Duration.ofHours(1)).use { assertThat(work.isCancelled).isFalse() }
        }
        assertThat(root.children()).isEmpty()
    }

    @Test
    fun whatMayBeMissingIsNullable() {
        assertThat(root.parent()?.name()).isNull()
        assertThat(root.setting("color")).isNull()
        root.setData("guest", "Ann")
        assertThat(root.getData("guest")?.asText()).isEqualTo("Ann")
        assertThat(root.getData("host")?.asText()).isNull()
        assertThat(runtime.status().systemMetrics?.cpuUsagePercent).isNull()
    }

    @Test
    fun cancellationTellsItsReasonToALambda() = runBlocking<Unit> {
        val heard = CompletableFuture<String>()
        root.child("work").open().use { work ->
            work.onCancel { reason -> heard.complete(reason.message) }
            work.cancel("enough")
            assertThat(work.cancellation().await().message).isEqualTo("enough")
        }
        assertThat(heard.await()).isEqualTo("enough")
    }

    @Test
    fun aWrappedTaskRunsInItsContext() {
        root.child("work").open().use { work ->
            var seen: FastnContext? = null
            work.wrap { seen = FastnContext.current() }.run()
            assertThat(seen).isEqualTo(work)
            assertThat(work.wrapCallable { FastnContext.current() }.call()).isEqualTo(work)
            work.wrapExecutor { it.run() }.execute { seen = FastnContext.current().parent() }
            assertThat(seen).isEqualTo(root)
        }
    }

    @Test
    fun recordsHavePropertiesAndSealedTypesNeedNoElse() {
        val files: Int = listOf("a", "b", "c").size
        root.addMetric("files", files)
        root.addMetric("load", 0.5)
        root.addMetric("took", Duration.ofSeconds(2))
        root.addMetric("phase", "warm")
        root.addMetric("sent", MetricValue.bytes(10))
        val metrics = runtime.status().globalContext.metrics.mapValues { (_, metric) -> text(metric) }
        assertThat(metrics).isEqualTo(
            mapOf("files" to "3", "load" to "0.5", "took" to "PT2S", "phase" to "warm", "sent" to "10 B"),
        )
    }

    @Test
    fun aBuilderTakesIntegersOfBothSizes() {
        val rows: Int = 3
        val bytes: Long = 4
        root.child("import").withMetric("rows", rows).withMetric("bytes", bytes).open().use {
            val metrics = it.subtreeStatus().globalContext.metrics
            assertThat(metrics).isEqualTo(mapOf("rows" to MetricValue.counter(3), "bytes" to MetricValue.counter(4)))
        }
    }

    private fun text(metric: MetricValue): String = when (metric) {
        is MetricValue.Counter -> metric.value.toString()
        is MetricValue.Gauge -> metric.value.toString()
        is MetricValue.Duration -> metric.value.toString()
        is MetricValue.Text -> metric.value
        is MetricValue.Bytes -> "${metric.value} B"
    }
}
